package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.spring.actuate.LitestreamHealthAutoConfiguration;
import org.litestream4j.spring.observation.LitestreamObservationAutoConfiguration;
import org.litestream4j.spring.observation.LitestreamObservationContext;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.condition.ConditionEvaluationReport;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Contexts above each other, contexts that end, and beans that need what needs them. */
class ContextsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private static void write(ApplicationContext context) {
        JdbcClient jdbc = context.getBean(JdbcClient.class);
        jdbc.sql("create table if not exists t (x)").update();
        jdbc.sql("insert into t values (1)").update();
    }

    @Test
    void childContext_usesTheBeansOfItsParent() {
        Runners.jdbc(folder)
                .withConfiguration(AutoConfigurations.of(LitestreamHealthAutoConfiguration.class))
                .run(parent -> Runners.jdbc(folder)
                        .withConfiguration(AutoConfigurations.of(LitestreamHealthAutoConfiguration.class))
                        .withParent(parent)
                        .run(child -> {
                            assertThat(child).hasNotFailed();
                            assertThat(child.getBeanDefinitionNames())
                                    .doesNotContain(
                                            "litestream",
                                            "litestreamReplicatedDatabases",
                                            "litestreamEventPublisher",
                                            "litestreamDataSourceWrapper",
                                            "litestreamHealthIndicator");
                            assertThat(child.getBean(Litestream.class)).isSameAs(parent.getBean(Litestream.class));
                            write(child);
                            child.getBean(LitestreamOperations.class).awaitReplicated(PATIENCE);
                        }));
    }

    @Test
    void childContext_commitsThroughItsDataSourceWait() {
        Runners.jdbc(folder)
                .withPropertyValues("litestream.durability=replicated")
                .run(parent -> child(Runners.database(folder))
                        .withParent(parent)
                        .run(child -> {
                            assertThat(child).hasNotFailed();
                            assertThat(child.getBean(DataSource.class)).isNotSameAs(parent.getBean(DataSource.class));
                            ManagedDatabase database = parent.getBean(Litestream.class)
                                    .databases()
                                    .iterator()
                                    .next();
                            write(child);
                            assertThat(database.statistics().commitWaits().count())
                                    .isEqualTo(2);
                        }));
    }

    @Test
    void childContext_dataSourceOfAnotherFile_failsTheStart() {
        Path other = folder.resolve("other.db");
        Runners.jdbc(folder).run(parent -> child(other).withParent(parent).run(child -> assertThat(child)
                .getFailure()
                .rootCause()
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining(other.toString())
                .hasMessageContaining("but the database that is replicated is")));
        assertThat(other).doesNotExist();
    }

    /** A context with a pool of its own; Boot's is left out if the parent has one. */
    private ApplicationContextRunner child(Path file) {
        return Runners.jdbc(folder)
                .withConfiguration(AutoConfigurations.of(LitestreamChildAutoConfiguration.class))
                .withBean("dataSource", HikariDataSource.class, () -> {
                    HikariDataSource pool = new HikariDataSource();
                    pool.setJdbcUrl("jdbc:sqlite:" + file);
                    return pool;
                });
    }

    @Test
    void switchedOff_showsInTheConditionReport() {
        Runners.jdbc(folder).withPropertyValues("litestream.enabled=false").run(context -> assertThat(
                        ConditionEvaluationReport.get(
                                        context.getSourceApplicationContext().getBeanFactory())
                                .getConditionAndOutcomesBySource()
                                .get(LitestreamAutoConfiguration.class.getName()))
                .anySatisfy(
                        each -> assertThat(each.getOutcome().getMessage()).contains("litestream.enabled is false")));
    }

    @Test
    void observationHandlerThatUsesTheDatabase_isNoCycle() {
        for (int start = 0; start < 2; start++) {
            Runners.jdbc(folder)
                    .withConfiguration(AutoConfigurations.of(
                            ObservationAutoConfiguration.class, LitestreamObservationAutoConfiguration.class))
                    .withBean(Reading.class)
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        write(context);
                        await().atMost(PATIENCE).untilAsserted(() -> assertThat(context.getBean(Reading.class).seen)
                                .contains("litestream.operation.upload"));
                    });
        }
    }

    @Test
    void closingContext_publishesNoEvents() {
        Events events = new Events();
        Runners.jdbc(folder).withBean(Events.class, () -> events).run(context -> {
            write(context);
            await().atMost(PATIENCE).until(() -> !events.before.isEmpty());
        });
        assertThat(events.after).isEmpty();
    }

    static class Reading implements ObservationHandler<LitestreamObservationContext> {

        final List<String> seen = new CopyOnWriteArrayList<>();
        private final JdbcClient jdbc;

        Reading(JdbcClient jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        public void onStop(LitestreamObservationContext context) {
            jdbc.sql("select 1").query(Integer.class).single();
            seen.add(String.valueOf(context.getName()));
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof LitestreamObservationContext;
        }
    }

    static class Events {

        final List<LitestreamEvent> before = new CopyOnWriteArrayList<>();
        final List<LitestreamEvent> after = new CopyOnWriteArrayList<>();
        private volatile boolean closed;

        @EventListener
        void on(LitestreamEvent event) {
            (closed ? after : before).add(event);
        }

        @EventListener
        void on(ContextClosedEvent event) {
            closed = true;
        }
    }
}
