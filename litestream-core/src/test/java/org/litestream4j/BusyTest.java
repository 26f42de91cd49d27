package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.litestream4j.testing.EngineFixture;
import org.sqlite.SQLiteException;

/** Many writers, long readers and large transactions beside the engine. */
class BusyTest extends EngineFixture {

    private static final int FRAME = 24 + 4096;

    /** Such a transaction fails at once if anybody takes the write lock or writes between its read and its write. */
    @Test
    void readThenWrite_neverFailsBecauseOfUs() throws Exception {
        create("CREATE TABLE t(id INTEGER PRIMARY KEY, x)");
        int failed = 0;
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(
                    config().checkpointInterval(Duration.ofMillis(5)).build());
            database.sync(TIMEOUT); // a start needs the write lock for a moment
            try (Connection connection = open(database)) {
                long next = System.nanoTime();
                for (int i = 0; i < 500; i++) {
                    try {
                        execute(connection, "BEGIN", "SELECT count(*) FROM t");
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                        execute(connection, "INSERT INTO t(x) VALUES (randomblob(500))", "COMMIT");
                    } catch (SQLiteException e) {
                        failed++;
                        execute(connection, "ROLLBACK");
                    }
                    next += TimeUnit.MILLISECONDS.toNanos(5);
                    LockSupport.parkNanos(next - System.nanoTime());
                }
                assertThat(failed).isZero();
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void thirtyTwoWriters_areAllCaptured() throws Exception {
        create("CREATE TABLE t(writer, number)");
        ExecutorService threads = Executors.newFixedThreadPool(32);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            List<Future<Void>> writers = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                int writer = i;
                Callable<Void> task = () -> {
                    try (Connection connection = open(database)) {
                        execute(connection, "PRAGMA busy_timeout=60000");
                        for (int number = 0; number < 20; number++) {
                            execute(
                                    connection,
                                    "BEGIN IMMEDIATE",
                                    "INSERT INTO t VALUES (" + writer + ", " + number + ")",
                                    "COMMIT");
                        }
                    }
                    return null;
                };
                writers.add(threads.submit(task));
            }
            for (Future<Void> writer : writers) {
                writer.get(2, TimeUnit.MINUTES);
            }
            try (Connection connection = open(database)) {
                assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(32 * 20);
                assertReplicated(database, connection);
            }
        } finally {
            threads.shutdown();
        }
        assertReplicaIsDatabase();
    }

    @Test
    void longReader_letsTheWalGrowOnlyAsLongAsItReads() throws Exception {
        create("CREATE TABLE t(x)");
        Path wal = folder.resolve("app.db-wal");
        long limit = 2 * 1_000L * FRAME; // to which it is cut
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection writer = open(database);
                    Connection reader = open(database)) {
                execute(reader, "BEGIN", "SELECT count(*) FROM t");
                for (int i = 0; i < 80; i++) {
                    execute(writer, "INSERT INTO t VALUES (randomblob(200000))");
                }
                assertThat(Files.size(wal)).isGreaterThan(limit);
                execute(reader, "COMMIT");
                long end = System.nanoTime() + TIMEOUT.toNanos();
                while (Files.size(wal) > limit && System.nanoTime() < end) {
                    execute(writer, "INSERT INTO t VALUES (1)");
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
                }
                assertThat(Files.size(wal)).isLessThanOrEqualTo(limit);
                assertReplicated(database, writer);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    @Tag("slow")
    void largeTransaction_isCapturedWhole() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "BEGIN IMMEDIATE");
                for (int i = 0; i < 150; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(1000000))");
                }
                execute(connection, "COMMIT");
                database.sync(Duration.ofMinutes(2));
            }
        }
        assertThat(Files.size(path)).isGreaterThan(150_000_000);
        assertReplicaIsDatabase();
    }
}
