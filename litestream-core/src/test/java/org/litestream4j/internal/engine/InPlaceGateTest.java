package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.DatabaseState;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.internal.jdbc.ApplicationConnections;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreProgress.Phase;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.Disk;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** A restore in place whose capture lane does not get to the copy: the application goes on, and the caller learns why. */
class InPlaceGateTest extends EngineFixture {

    private static final Duration SHORT = Duration.ofSeconds(2);

    /** For the end of a restore with a {@link #SHORT} timeout, on a busy machine. */
    private static final long SOON_SECONDS = 20;

    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;
    private Txid empty;
    private Disk disk;

    @BeforeEach
    void start() throws Exception {
        begin(path);
    }

    private void begin(Path file) throws Exception {
        path = file;
        litestream = litestream();
        database = litestream.register(
                config(file, replica).shutdownSyncTimeout(SHORT).build());
        connection = open(database);
        execute(connection, "CREATE TABLE t(x)");
        database.sync(TIMEOUT);
        empty = database.status().replicated();
        execute(connection, "INSERT INTO t VALUES (1)");
        database.sync(TIMEOUT);
    }

    @AfterEach
    void stop() throws Exception {
        connection.close();
        litestream.close();
        if (disk != null) {
            disk.close();
        }
    }

    @FunctionalInterface
    private interface Hindrance {
        void begin() throws Exception;
    }

    private RestoreOptions.Builder options(Hindrance hindrance) {
        return RestoreOptions.builder().target(RestoreTarget.txid(empty)).listener(progress -> {
            if (progress.phase() == Phase.DONE) { // the state lies in the side file
                try {
                    hindrance.begin();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        });
    }

    private ApplicationConnections connections() {
        return ((DatabaseEngine) database).connections();
    }

    private CompletableFuture<InPlaceRestoreResult> restore(RestoreOptions options, Duration timeout) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return database.restoreInPlace(options, timeout);
            } catch (Exception e) {
                throw new java.util.concurrent.CompletionException(e);
            }
        });
    }

    private void assertFails(Hindrance hindrance, String reason) throws Exception {
        CompletableFuture<InPlaceRestoreResult> restore =
                restore(options(hindrance).build(), SHORT);
        assertThatThrownBy(() -> restore.get(SOON_SECONDS, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("nothing was changed")
                .hasMessageContaining(reason);
        assertApplicationGoesOn();
    }

    private void assertApplicationGoesOn() throws Exception {
        assertThat(CompletableFuture.supplyAsync(this::rows).get(5, TimeUnit.SECONDS))
                .isEqualTo(1);
    }

    private long rows() {
        try {
            return query(connection, "SELECT count(*) FROM t");
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void conflict() throws Exception {
        assertFails(
                () -> {
                    Path next = replica.resolve("ltx/0/"
                            + LtxFileName.of(database.status().replicated().next()));
                    Files.writeString(next, "of another writer");
                    execute(connection, "CREATE TABLE u(x)");
                    await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.CONFLICT);
                },
                "replication has stopped (CONFLICT");
    }

    @Test
    void deletedDatabase() throws Exception {
        assertFails(() -> Files.delete(path), "the capture lane did not start the copy in time");
    }

    @Test
    void pause() throws Exception {
        assertFails(() -> database.pause(TIMEOUT), "it is paused");
        database.resume();
        database.sync(TIMEOUT);
    }

    @Test
    void failingCapture_andCancel() throws Exception {
        assertFails(this::breakLocalState, "last error");
        AtomicBoolean cancelled = new AtomicBoolean();
        repairLocalState();
        CompletableFuture<InPlaceRestoreResult> restore =
                restore(options(this::breakLocalState).cancelled(cancelled::get).build(), Duration.ofMinutes(10));
        await().atMost(TIMEOUT).until(() -> Files.isRegularFile(metaPath().resolve("ltx")));
        assertApplicationGoesOn();
        cancelled.set(true);
        assertThatThrownBy(() -> restore.get(SOON_SECONDS, TimeUnit.SECONDS))
                .hasMessageContaining("cancelled, nothing was changed");
        assertApplicationGoesOn();
        repairLocalState();
    }

    private void breakLocalState() throws Exception {
        Path files = metaPath().resolve("ltx");
        while (!Files.isRegularFile(files)) {
            try {
                SqliteFixture.deleteTree(files);
                Files.createFile(files);
            } catch (FileSystemException e) {
                // the engine has made the folder anew in between
            }
        }
        execute(connection, "CREATE TABLE IF NOT EXISTS u(x)");
        await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
    }

    private void repairLocalState() throws Exception {
        Files.delete(metaPath().resolve("ltx"));
        database.sync(TIMEOUT);
    }

    @Test
    void fullDisk_isReportedAsThat() throws Exception {
        stop();
        disk = Disk.small(folder.resolve("disk"), 64);
        replica = folder.resolve("replica-2");
        begin(folder.resolve("disk").resolve("app.db"));
        execute(connection, "CREATE TABLE big AS SELECT randomblob(3000000) AS x");
        database.sync(TIMEOUT);
        empty = database.status().replicated();
        assertFails(() -> disk.fill(), "the disk is full");
        disk.free();
        database.restoreInPlace(options(() -> {}).build(), TIMEOUT);
    }

    @Test
    void interruptWhileWritersAreWaitedFor_meansThatNothingHappens() throws Exception {
        AtomicReference<Throwable> outcome = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                database.restoreInPlace(options(() -> {}).build(), Duration.ofMinutes(10));
            } catch (Throwable e) {
                outcome.set(e);
            }
        });
        try (Connection writer = plain()) {
            execute(writer, "BEGIN IMMEDIATE");
            caller.start();
            await().atMost(TIMEOUT).until(() -> connections().isHeldBack());
            caller.interrupt();
            await().atMost(TIMEOUT).until(() -> !caller.isAlive() || outcome.get() != null);
            execute(writer, "ROLLBACK");
        }
        caller.join(TimeUnit.SECONDS.toMillis(SOON_SECONDS));
        database.sync(TIMEOUT); // behind all that the lane had to do
        execute(connection, "INSERT INTO t VALUES (2)");
        database.sync(TIMEOUT);
        assertThat(rows()).isEqualTo(2);
        assertThat(outcome.get()).isInstanceOf(InterruptedException.class).hasMessageContaining("nothing was changed");
    }

    @Test
    void interruptWhileTheLaneIsKeptAway_meansThatNothingHappens() throws Exception {
        AtomicReference<Throwable> outcome = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                database.restoreInPlace(options(this::breakLocalState).build(), Duration.ofMinutes(10));
            } catch (Throwable e) {
                outcome.set(e);
            }
        });
        caller.start();
        await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
        assertThatThrownBy(() -> CompletableFuture.runAsync(() -> join(caller)).get(1, TimeUnit.SECONDS))
                .isInstanceOf(TimeoutException.class);
        caller.interrupt();
        caller.join(TimeUnit.SECONDS.toMillis(SOON_SECONDS));
        repairLocalState();
        execute(connection, "INSERT INTO t VALUES (2)");
        database.sync(TIMEOUT);
        assertThat(rows()).isEqualTo(2);
        assertThat(outcome.get()).isInstanceOf(InterruptedException.class).hasMessageContaining("nothing was changed");
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void gateThatNobodyOpens_opensByItself() throws Exception {
        connections().holdBack(Duration.ofMillis(300));
        assertThat(connections().isHeldBack()).isTrue();
        assertApplicationGoesOn();
        assertThat(connections().isHeldBack()).isFalse();
    }
}
