package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.spring.actuate.LitestreamHealthAutoConfiguration;
import org.litestream4j.spring.observation.LitestreamObservationAutoConfiguration;
import org.litestream4j.spring.observation.LitestreamObservationContext;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.condition.ConditionEvaluationReport;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration;
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
