package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamEvent.Registered;
import org.litestream4j.LitestreamEvent.ReplicationFailed;
import org.litestream4j.LitestreamEvent.ReplicationRecovered;
import org.litestream4j.LitestreamEvent.Restored;
import org.litestream4j.LitestreamEvent.Unregistered;
import org.litestream4j.LitestreamListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What happens to a database reaches {@code @EventListener} methods. */
class ApplicationEventsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @Test
    void restoreBeforeTheContextWasReady_isPublishedLater() throws Exception {
        Runners.jdbc(folder).run(context -> context.getBean(JdbcClient.class)
                .sql("create table t (x)")
                .update());
        Runners.loseDisk(folder);
        Runners.jdbc(folder).withUserConfiguration(Listening.class).run(context -> {
            List<LitestreamEvent> seen = context.getBean(Events.class).seen;
            await().atMost(TIMEOUT).until(() -> seen.size() >= 2);
            assertThat(seen.get(0)).isInstanceOfSatisfying(Restored.class, restored -> assertThat(restored.path())
                    .isEqualTo(Runners.database(folder)));
            assertThat(seen.get(1)).isInstanceOf(Registered.class);
            assertThat(context.getBean(Events.class).thread).isEqualTo("litestream-events");
        });
    }

    @Test
    void lazyApplication_hearsOfTheRestoreToo() throws Exception {
        restoreBeforeTheContextWasReady_isPublishedLater();
        Runners.loseDisk(folder);
        Runners.jdbc(folder)
                .withUserConfiguration(Listening.class)
                .withPropertyValues("spring.main.lazy-initialization=true")
                .run(context -> {
                    context.getBean(JdbcClient.class)
                            .sql("select count(*) from t")
                            .query(Long.class)
                            .single();
                    List<LitestreamEvent> seen = context.getBean(Events.class).seen;
                    await().atMost(TIMEOUT).until(() -> seen.stream().anyMatch(Restored.class::isInstance));
                });
    }

    @Test
    void outageAndItsEnd_arePublished_andTheListenerMayUseTheDatabase() {
        Runners.jdbc(folder).withUserConfiguration(Listening.class).run(context -> {
            JdbcClient jdbc = context.getBean(JdbcClient.class);
            jdbc.sql("create table t (x)").update();
            context.getBean(Litestream.class).databases().iterator().next().sync(TIMEOUT);
            Path replica = folder.resolve("replica");
            Files.move(replica, folder.resolve("away"));
            Files.createFile(replica);
            Events events = context.getBean(Events.class);
            events.action = () -> jdbc.sql("insert into t values (2)").update();
            jdbc.sql("insert into t values (1)").update();
            await().atMost(TIMEOUT).until(() -> events.seen.stream().anyMatch(ReplicationFailed.class::isInstance));
            // By a link that takes the file's place: between two steps an upload could begin the folder anew.
            Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("away"));
            Files.move(link, replica, StandardCopyOption.ATOMIC_MOVE);
            await().atMost(TIMEOUT).until(() -> events.seen.stream().anyMatch(ReplicationRecovered.class::isInstance));
            await().atMost(TIMEOUT)
                    .until(() -> jdbc.sql("select count(*) from t where x = 2")
                                    .query(Long.class)
                                    .single()
                            >= 2);
        });
    }

    @Test
    void failingListener_losesOnlyItsOwnEvent() {
        Runners.jdbc(folder).withUserConfiguration(Listening.class).run(context -> {
            Events events = context.getBean(Events.class);
            await().atMost(TIMEOUT).until(() -> !events.seen.isEmpty());
            events.action = () -> {
                throw new IllegalStateException("broken listener");
            };
            Litestream litestream = context.getBean(Litestream.class);
            litestream.unregister("app.db");
            await().atMost(TIMEOUT).until(() -> events.seen.contains(new Unregistered("app.db")));
            events.seen.clear();
            litestream.register(org.litestream4j.DatabaseConfig.builder(
                            folder.resolve("other.db"),
                            org.litestream4j.replica.ReplicaLocation.of("file://" + folder.resolve("other")))
                    .build());
            await().atMost(TIMEOUT).until(() -> !events.seen.isEmpty());
            assertThat(events.seen).singleElement().isInstanceOf(Registered.class);
        });
    }

    @Test
    void listenerBeans_areToldDirectly() {
        List<LitestreamEvent> told = new CopyOnWriteArrayList<>();
        Runners.jdbc(folder)
                .withBean("own", LitestreamListener.class, () -> told::add)
                .run(context -> assertThat(told).singleElement().isInstanceOf(Registered.class));
        assertThat(told).last().isEqualTo(new Unregistered("app.db"));
    }

    @Test
    void eventsThread_endsWithTheContext() {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        Runners.jdbc(folder).withUserConfiguration(Listening.class).run(context -> {
            Events events = context.getBean(Events.class);
            await().atMost(TIMEOUT).until(() -> !events.seen.isEmpty());
            assertThat(threads(before)).isPositive();
        });
        await().atMost(TIMEOUT).until(() -> threads(before) == 0); // a pool has ended just before its thread has
    }

    private static long threads(Set<Thread> before) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("litestream-events") && !before.contains(thread))
                .count();
    }

    @Configuration(proxyBeanMethods = false)
    static class Listening {
        @Bean
        Events events() {
            return new Events();
        }
    }

    static class Events {
        final List<LitestreamEvent> seen = new CopyOnWriteArrayList<>();
        volatile String thread = "";
        volatile Runnable action = () -> {};

        @EventListener
        void on(LitestreamEvent event) {
            thread = Thread.currentThread().getName();
            seen.add(event);
            action.run();
        }
    }
}
