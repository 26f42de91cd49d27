package org.litestream4j.internal.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.internal.files.SqliteCode;
import org.litestream4j.ltx.PageEncoding;

class SqliteSessionTest {

    private static final long BLOCKED_MILLIS = 200;

    @TempDir
    private Path folder;

    private final List<Long> held = new ArrayList<>();

    private final CaptureListener listener = new CaptureListener() {
        @Override
        public void writeLockHeld(long nanos) {
            held.add(nanos);
        }
    };

    private Path create(String name) throws Exception {
        Path file = folder.resolve(name);
        try (Connection connection = open(file);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("CREATE TABLE t(x)");
        }
        return file;
    }

    private static Connection open(Path file) throws Exception {
        return DriverManager.getConnection("jdbc:sqlite:" + file);
    }

    /** The time in which another connection holds the write lock is not the engine's. */
    @Test
    void restoreFrom_waitsForTheWriteLock_reportsOnlyTheCopy() throws Exception {
        Path database = create("app.db");
        Path side = create("side.db");
        CountDownLatch locked = new CountDownLatch(1);
        try (SqliteSession session = SqliteSession.open(database, Duration.ofMillis(500), listener);
                Connection writer = open(database);
                Statement statement = writer.createStatement()) {
            statement.execute("BEGIN IMMEDIATE");
            assertThat(session.restoreFrom(side)).isEqualTo(SqliteCode.BUSY);
            assertThat(held).as("the lock was not acquired").isEmpty();
            Thread other = new Thread(() -> {
                try {
                    locked.countDown();
                    TimeUnit.MILLISECONDS.sleep(BLOCKED_MILLIS); // measured below: the time of waiting
                    statement.execute("ROLLBACK");
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            other.start();
            locked.await();
            long begun = System.nanoTime();
            session.restoreFrom(side);
            long took = System.nanoTime() - begun;
            other.join();
            long waited = TimeUnit.MILLISECONDS.toNanos(BLOCKED_MILLIS) / 2; // the thread may begin early
            assertThat(held).singleElement().satisfies(nanos -> assertThat(nanos)
                    .isLessThan(took - waited));
        }
    }

    @Test
    void checkpointPace_isNoLongerThanTheInterval() {
        assertThat(settings(Duration.ofMillis(100)).checkpointPaceNanos()).isEqualTo(100_000_000);
        assertThat(settings(Duration.ofMinutes(1)).checkpointPaceNanos()).isEqualTo(1_000_000_000);
    }

    private CaptureSettings settings(Duration checkpointInterval) {
        return new CaptureSettings(
                folder.resolve("app.db"),
                folder,
                Duration.ofSeconds(1),
                checkpointInterval,
                1000,
                10_000,
                1 << 20,
                PageEncoding.values()[0],
                true);
    }
}
