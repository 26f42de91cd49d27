package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.EngineFixture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thousand small databases in one process cost a handful of threads, and nothing while they rest. */
class ManyDatabasesTest {

    private static final Logger log = LoggerFactory.getLogger(ManyDatabasesTest.class);
    private static final int COUNT = 1_000;

    @TempDir
    Path folder;

    @Test
    @Tag("slow")
    void thousandDatabases_startRestAndWrite() throws Exception {
        for (int i = 0; i < COUNT; i++) {
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path(i))) {
                execute(connection, "PRAGMA synchronous=OFF", "PRAGMA journal_mode=WAL", "CREATE TABLE t(x)");
            }
        }
        run("first start, with replicas to make and images to take", Duration.ofSeconds(40));
        run("second start", Duration.ofSeconds(10));
    }

    private void run(String what, Duration limit) throws Exception {
        long begun = System.nanoTime();
        try (Litestream litestream = Litestream.builder().build()) {
            List<ManagedDatabase> databases = new ArrayList<>();
            for (int i = 0; i < COUNT; i++) {
                databases.add(litestream.register(DatabaseConfig.builder(
                                path(i),
                                ReplicaLocation.of(
                                        folder.resolve("replica-" + i).toUri().toString()))
                        .build()));
            }
            Duration start = Duration.ofNanos(System.nanoTime() - begun);
            await().atMost(Duration.ofMinutes(2)).until(() -> databases.stream()
                    .allMatch(database -> database.status().lag().isZero()));
            Duration replicated = Duration.ofNanos(System.nanoTime() - begun);
            long idle = idleCpuMillis(Duration.ofSeconds(5));
            long threads = threads();
            begun = System.nanoTime();
            for (ManagedDatabase database : databases.subList(0, 50)) {
                try (Connection connection = EngineFixture.open(database)) {
                    execute(connection, "INSERT INTO t VALUES (1)");
                }
            }
            for (ManagedDatabase database : databases.subList(0, 50)) {
                database.sync(Duration.ofSeconds(10));
            }
            Duration written = Duration.ofNanos(System.nanoTime() - begun);
            begun = System.nanoTime();
            log.warn(
                    "{}: registered in {}, replicated in {}, threads {}, CPU in 5 s of rest {} ms, 50 writes in {}",
                    what,
                    start,
                    replicated,
                    threads,
                    idle,
                    written);
            assertThat(start).isLessThan(limit);
            assertThat(threads).isLessThanOrEqualTo(20);
            assertThat(idle).isLessThan(1_000);
        }
        log.warn("{}: closed in {}", what, Duration.ofNanos(System.nanoTime() - begun));
    }

    private Path path(int i) {
        return folder.resolve("db-" + i);
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("litestream-"))
                .count();
    }

    private static long idleCpuMillis(Duration duration) throws InterruptedException {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long before = system.getProcessCpuTime();
        Thread.sleep(duration.toMillis()); // measures rest
        return (system.getProcessCpuTime() - before) / 1_000_000;
    }
}
