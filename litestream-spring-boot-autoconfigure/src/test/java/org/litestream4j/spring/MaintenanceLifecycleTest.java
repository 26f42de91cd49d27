package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamException;
import org.litestream4j.ManagedDatabase;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.core.simple.JdbcClient;

class MaintenanceLifecycleTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @Test
    void stoppedContext_replicatesButDoesNotMerge_untilItIsStartedAgain() {
        Runners.jdbc(folder).run(context -> {
            ConfigurableApplicationContext source = context.getSourceApplicationContext();
            JdbcClient jdbc = context.getBean(JdbcClient.class);
            jdbc.sql("create table t (x)").update();
            ManagedDatabase database =
                    context.getBean(Litestream.class).database("app.db").orElseThrow();
            write(jdbc, database);
            source.stop();
            write(jdbc, database);
            assertThatThrownBy(() -> database.compact(Duration.ofMillis(300))).isInstanceOf(LitestreamException.class);
            assertThat(database.compaction().merges()).isZero();
            source.start();
            database.compact(TIMEOUT);
            assertThat(database.compaction().merges()).isPositive();
            source.stop();
            jdbc.sql("insert into t values (2)").update();
        });
        Runners.jdbc(folder).run(context -> {
            assertThat(context.getBean(JdbcClient.class)
                            .sql("select count(*) from t where x = 2")
                            .query(Long.class)
                            .single())
                    .isEqualTo(1);
        });
    }

    @Test
    void lastWriteOfAClosingContext_isOnTheReplica() throws Exception {
        List<String> order = new CopyOnWriteArrayList<>();
        Runners.jdbc(folder).run(context -> {
            JdbcClient jdbc = context.getBean(JdbcClient.class);
            jdbc.sql("create table t (x)").update();
            ManagedDatabase database =
                    context.getBean(Litestream.class).database("app.db").orElseThrow();
            ConfigurableApplicationContext source = context.getSourceApplicationContext();
            MaintenanceLifecycle lifecycle = source.getBean(MaintenanceLifecycle.class);
            source.getBeanFactory().registerSingleton("writer", new Writer(() -> lifecycle.isRunning(), order, jdbc));
            source.getBean(Writer.class).start();
            database.sync(TIMEOUT);
        });
        assertThat(order).containsExactly("wrote, maintenance running: true");
        Runners.loseDisk(folder);
        Runners.jdbc(folder).run(context -> assertThat(context.getBean(JdbcClient.class)
                        .sql("select x from t")
                        .query(Long.class)
                        .list())
                .containsExactly(7L));
    }

    /** Each in a file of its own, so that there is something to merge. */
    private static void write(JdbcClient jdbc, ManagedDatabase database) throws Exception {
        for (int i = 0; i < 2; i++) {
            jdbc.sql("insert into t values (1)").update();
            database.sync(TIMEOUT);
        }
    }

    /** Writes when it is stopped, as those do that drain their work. */
    private static final class Writer implements SmartLifecycle {
        private final BooleanSupplier maintenance;
        private final List<String> order;
        private final JdbcClient jdbc;
        private volatile boolean on;

        Writer(BooleanSupplier maintenance, List<String> order, JdbcClient jdbc) {
            this.maintenance = maintenance;
            this.order = order;
            this.jdbc = jdbc;
        }

        @Override
        public void start() {
            on = true;
        }

        @Override
        public void stop() {
            jdbc.sql("insert into t values (7)").update();
            order.add("wrote, maintenance running: " + maintenance.getAsBoolean());
            on = false;
        }

        @Override
        public boolean isRunning() {
            return on;
        }

        @Override
        public int getPhase() {
            return 0;
        }
    }
}
