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
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.EngineFixture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A thousand small databases in one process need only a handful of threads, and no processor time while they are idle. */
class ManyDatabasesTest {

    private static final Logger log = LoggerFactory.getLogger(ManyDatabasesTest.class);
    private static final int COUNT = 1_000;
    private static final Duration WINDOW = Duration.ofSeconds(5);

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
            long idle = awaitIdleCpuMillis();
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
                    "{}: registered in {}, replicated in {}, threads {}, CPU in 5 idle seconds {} ms, 50 writes in {}",
                    what,
                    start,
                    replicated,
                    threads,
                    idle,
                    written);
            assertThat(start).isLessThan(limit);
            assertThat(threads).isLessThanOrEqualTo(20);
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

    /** Waits until the process has used little processor time in five seconds, and returns that time. */
    private static long awaitIdleCpuMillis() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long[] last = {system.getProcessCpuTime()};
        return await().pollDelay(WINDOW)
                .pollInterval(WINDOW)
                .atMost(Duration.ofMinutes(1))
                .until(
                        () -> {
                            long used = system.getProcessCpuTime() - last[0];
                            last[0] += used;
                            return TimeUnit.NANOSECONDS.toMillis(used);
                        },
                        used -> used < 1_000);
    }
}
