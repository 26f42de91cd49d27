package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.CheckpointKind;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.EngineStatistics;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ReplicaOperation;
import org.litestream4j.Tally;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreProgress;
import org.litestream4j.testing.EngineFixture;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** What is counted of a running engine is what it did. */
class EngineStatisticsTest extends EngineFixture {

    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;

    @BeforeEach
    void begin() throws Exception {
        create("CREATE TABLE t(x)");
        litestream = litestream();
        database = litestream.register(config().build());
        connection = open(database);
    }

    @AfterEach
    void end() throws Exception {
        connection.close();
        litestream.close();
    }

    @Test
    void capturesAndUploads_areCounted() throws Exception {
        for (int i = 0; i < 3; i++) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(5000))");
            database.sync(TIMEOUT);
        }
        EngineStatistics statistics = database.statistics();
        assertThat(statistics.captures().count()).isGreaterThanOrEqualTo(3);
        assertThat(statistics.captures().failures()).isZero();
        assertThat(statistics.captures().total())
                .isGreaterThanOrEqualTo(statistics.captures().longest())
                .isPositive();
        long files = filesOnReplica();
        Tally puts = statistics.operations().get(ReplicaOperation.PUT);
        assertThat(puts.count()).isEqualTo(files);
        assertThat(puts.failures()).isZero();
        assertThat(puts.bytes()).isEqualTo(bytesOnReplica());
        assertThat(puts.total()).isPositive();
        assertThat(statistics.operations().get(ReplicaOperation.LIST).count()).isGreaterThanOrEqualTo(2);
        assertThat(statistics.operations().get(ReplicaOperation.DELETE)).isEqualTo(Tally.NONE);
        assertThat(statistics.diskFullErrors()).isZero();
        assertThat(statistics.restores()).isEqualTo(Tally.NONE);
        assertThat(statistics.restore()).isNull();
    }

    @Test
    void outage_countsAsFailedOperations() throws Exception {
        database.sync(TIMEOUT);
        replicaGoes();
        execute(connection, "INSERT INTO t VALUES (1)");
        await().atMost(TIMEOUT).until(() -> database.statistics().operations().values().stream()
                .anyMatch(operation -> operation.failures() > 0));
        assertThat(database.statistics().diskFull()).isFalse();
        replicaReturns();
        database.sync(TIMEOUT);
    }

    @Test
    void checkpoints_areCountedByMode_andSoIsTheWriteLock() throws Exception {
        database.sync(TIMEOUT);
        assertThat(database.statistics().writeLock().count()).isZero();
        try (Connection reader = plain()) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(500000))");
            await().atMost(TIMEOUT).until(() -> checkpoints(CheckpointKind.PASSIVE) > 0);
            execute(reader, "BEGIN", "SELECT count(*) FROM t");
            execute(connection, "INSERT INTO t VALUES (zeroblob(6000000))"); // over the limit of the WAL
            execute(reader, "ROLLBACK");
        }
        writeUntilLocked();
        await().atMost(TIMEOUT)
                .untilAsserted(
                        () -> { // the lock is let go of after the checkpoint
                            Tally lock = database.statistics().writeLock();
                            assertThat(lock.count()).isPositive();
                            assertThat(lock.longest()).isPositive().isLessThanOrEqualTo(lock.total());
                            assertThat(checkpoints(CheckpointKind.LOCKED)).isEqualTo(lock.count());
                        });
    }

    /** A writer that never pauses leaves no complete round without the lock. */
    private void writeUntilLocked() throws Exception {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (checkpoints(CheckpointKind.LOCKED) == 0 && System.nanoTime() - deadline < 0) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(100000))");
        }
    }

    private long checkpoints(CheckpointKind mode) {
        return database.statistics().checkpoints().get(mode).count();
    }

    @Test
    void fullDisk_isCounted_andForgottenOnceItPasses() throws Exception {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "only where there is " + full);
        database.sync(TIMEOUT);
        Path temporary = metaPath().resolve("position.tmp");
        await().atMost(TIMEOUT).ignoreExceptions().until(() -> Files.exists(Files.createSymbolicLink(temporary, full)));
        Files.delete(metaPath().resolve("position")); // or its slots would be overwritten, which takes no space
        execute(connection, "INSERT INTO t VALUES (1)");
        await().atMost(TIMEOUT).until(() -> database.statistics().diskFull());
        assertThat(database.statistics().diskFullErrors()).isPositive();
        assertThat(database.statistics().captures().failures()).isPositive();
        Files.deleteIfExists(temporary);
        database.sync(TIMEOUT);
        await().atMost(TIMEOUT).until(() -> !database.statistics().diskFull());
        assertThat(database.statistics().diskFullErrors()).isPositive();
    }

    @Test
    void diskFull_isToldBySqliteAndTheSystem() {
        assertThat(DiskFull.isCauseOf(new IOException("x", new SQLiteException("full", SQLiteErrorCode.SQLITE_FULL))))
                .isTrue();
        assertThat(DiskFull.isCauseOf(new SQLiteException("No space left on device", SQLiteErrorCode.SQLITE_BUSY)))
                .isFalse();
        assertThat(DiskFull.isCauseOf(new IOException("x", new IOException("No space left on device"))))
                .isTrue();
        assertThat(DiskFull.isCauseOf(new IOException("Connection reset"))).isFalse();
    }

    @Test
    void restores_areCounted_alsoThoseBeforeTheStart() throws Exception {
        execute(connection, "INSERT INTO t VALUES (1)");
        database.sync(TIMEOUT);
        database.restoreInPlace(RestoreOptions.defaults(), TIMEOUT);
        EngineStatistics inPlace = database.statistics();
        assertThat(inPlace.restores().count()).isOne();
        assertThat(inPlace.restores().bytes()).isPositive();
        assertThat(inPlace.restore()).extracting(RestoreProgress::phase).isEqualTo(RestoreProgress.Phase.DONE);
        assertThat(inPlace.writeLock().count()).isPositive();
        connection.close();
        litestream.close();
        for (Path file : List.of(path, folder.resolve("app.db-wal"), folder.resolve("app.db-shm"))) {
            Files.deleteIfExists(file);
        }
        litestream = litestream();
        DatabaseConfig config = config().build();
        assertThat(litestream.restoreIfMissing(config)).isPresent();
        database = litestream.register(config);
        EngineStatistics before = database.statistics();
        assertThat(before.restores().count()).isOne();
        assertThat(before.restores().failures()).isZero();
        assertThat(before.restore()).extracting(RestoreProgress::phase).isEqualTo(RestoreProgress.Phase.DONE);
    }

    @Test
    void levels_areCounted() throws Exception {
        for (int i = 0; i < 3; i++) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(5000))");
            database.sync(TIMEOUT);
        }
        assertThat(database.compaction().level0().unmerged())
                .isLessThanOrEqualTo(database.status().captured().value());
        database.compact(TIMEOUT);
        CompactionStatus status = database.compaction();
        assertThat(status.levels()).hasSize(10);
        assertThat(status.files()).isEqualTo(filesOnReplica());
        assertThat(status.levels().stream()
                        .mapToLong(CompactionStatus.Level::bytes)
                        .sum())
                .isEqualTo(bytesOnReplica());
        assertThat(status.levels().get(1).merges()).isPositive();
        assertThat(status.levels().get(1).mergeTime()).isPositive();
        assertThat(status.levels().get(0).merges()).isZero();
        assertThat(status.level0().unmerged()).isZero();
        assertThat(status.level0().recent() + status.level0().expired())
                .isEqualTo(status.levels().get(0).files());
    }

    @Test
    void requests_areCountedByOperationAndOutcome() {
        EngineCounters counters = new EngineCounters();
        counters.onRequest(new RequestListener.Request(RequestType.PUT, RequestResult.SUCCESS, 5, 0));
        counters.onRequest(new RequestListener.Request(RequestType.PUT, RequestResult.THROTTLED, 5, 0));
        EngineStatistics statistics = counters.statistics(false, false);
        assertThat(statistics.requests()).hasSize(RequestType.values().length).containsEntry(RequestType.PUT, 2L);
        assertThat(statistics.outcomes())
                .containsEntry(RequestResult.SUCCESS, 1L)
                .containsEntry(RequestResult.THROTTLED, 1L)
                .containsEntry(RequestResult.FAILED, 0L);
    }

    @Test
    void unregistered_isForgotten() throws Exception {
        execute(connection, "INSERT INTO t VALUES (1)");
        database.sync(TIMEOUT);
        connection.close();
        litestream.unregister(database.name());
        database = litestream.register(config().build());
        assertThat(database.statistics().operations().get(ReplicaOperation.PUT)).isEqualTo(Tally.NONE);
        assertThatThrownBy(() -> litestream.register(config().build())).isInstanceOf(IllegalArgumentException.class);
        assertThat(database.statistics().captures().failures()).isZero();
    }

    private long filesOnReplica() throws IOException {
        return replicaFiles().size();
    }

    private long bytesOnReplica() throws IOException {
        long bytes = 0;
        for (Path file : replicaFiles()) {
            bytes += Files.size(file);
        }
        return bytes;
    }

    private List<Path> replicaFiles() throws IOException {
        try (var files = Files.walk(replica)) {
            return files.filter(file -> file.toString().endsWith(".ltx")).toList();
        }
    }
}
