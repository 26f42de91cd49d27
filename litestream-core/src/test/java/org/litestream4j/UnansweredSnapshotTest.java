package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;

/** Losses while a snapshot is being published. */
class UnansweredSnapshotTest extends EngineFixture {

    private GatedReplicaProvider.Control control;

    private DatabaseConfig.Builder gated() {
        control = GatedReplicaProvider.control(replica);
        control.local = true;
        return DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .syncInterval(Duration.ofMillis(10))
                .levels(List.of(NEVER))
                .snapshotInterval(NEVER);
    }

    /** What becomes visible belongs to the history that was lost, and was written by this process. */
    @Test
    void snapshotThatBecomesVisibleAfterALoss_isNoConflict() throws Exception {
        create("CREATE TABLE t(x)");
        DatabaseConfig config = gated().level0Retention(Duration.ZERO).build(); // no proof lasts
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                insert(database, connection, 5);
                database.compact(TIMEOUT);
                insert(database, connection, 4);
                Txid lost = beginSnapshot(database);
                deleteFiles(0);
                deleteFiles(ReplicaClient.SNAPSHOT_LEVEL);
                execute(connection, "INSERT INTO t VALUES ('after')");
                awaitSecondImage(database);
                assertThat(database.status().replicated()).isLessThan(lost);

                control.unansweredLevel = ReplicaClient.SNAPSHOT_LEVEL;
                control.heldLevel = -1;
                await().atMost(TIMEOUT)
                        .until(() -> SqliteFixture.level(replica, ReplicaClient.SNAPSHOT_LEVEL)
                                        .size()
                                == 1);
                Txid before = database.status().captured();
                execute(connection, "INSERT INTO t VALUES ('later')");
                await().atMost(TIMEOUT)
                        .until(() -> database.status().state() == DatabaseState.CONFLICT
                                || database.status().replicated().isAfter(before));
                assertThat(database.status().captured())
                        .as("the snapshot is ahead")
                        .isLessThan(lost);
                control.unansweredLevel = -1;
                database.awaitReplicated(TIMEOUT);
                assertThat(database.status().state()).isEqualTo(DatabaseState.REPLICATING);
                assertThat(restoredCount()).isEqualTo(11);
            }
        }
        assertThat(restoredCount()).isEqualTo(11);
    }

    /** A lost local file begins a new history, too, but the replica has lost nothing. */
    @Test
    void localFileLostMeanwhile_isNoLossOfTheReplica() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(gated().build());
            try (Connection connection = open(database)) {
                insert(database, connection, 5);
                Txid newest = beginSnapshot(database);
                control.refusedLevel = 0;
                for (int i = 0; i < 2; i++) {
                    Txid before = database.status().captured();
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    await().atMost(TIMEOUT)
                            .until(() -> database.status().captured().isAfter(before));
                }
                Files.delete(metaPath()
                        .resolve("ltx/0")
                        .resolve(LtxFileName.of(newest.next()).toString()));
                control.refusedLevel = -1;
                awaitSecondImage(database);
                control.heldLevel = -1;
                database.snapshot(TIMEOUT);
                insert(database, connection, 1);
                assertThat(restoredCount()).isEqualTo(8);
            }
        }
        assertThat(logged()).noneMatch(line -> line.startsWith("files are missing on the replica"));
        assertThat(images()).isEqualTo(2);
    }

    /** Begins a snapshot, which does not become visible yet. Returns its transaction. */
    private Txid beginSnapshot(ManagedDatabase database) {
        Txid newest = database.status().replicated();
        control.heldLevel = ReplicaClient.SNAPSHOT_LEVEL;
        assertThatThrownBy(() -> database.snapshot(Duration.ofMillis(50))).isInstanceOf(LitestreamException.class);
        await().atMost(TIMEOUT).until(() -> control.held.get() == 1);
        return newest;
    }

    private void awaitSecondImage(ManagedDatabase database) {
        await().atMost(TIMEOUT)
                .until(() -> images() == 2
                        && database.status()
                                .replicated()
                                .equals(database.status().captured()));
    }

    private void deleteFiles(int level) throws Exception {
        for (LtxFileName file : SqliteFixture.level(replica, level)) {
            Files.delete(replica.resolve("ltx/" + level).resolve(file.toString()));
        }
    }

    private static void insert(ManagedDatabase database, Connection connection, int rows) throws Exception {
        for (int i = 0; i < rows; i++) {
            execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
            database.sync(TIMEOUT);
        }
    }

    private long restoredCount() throws Exception {
        Path restored = Files.createTempDirectory(folder, "restored").resolve("app.db");
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica.toUri().toString()))) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            return SqliteFixture.query(connection, "SELECT count(*) FROM t");
        }
    }
}
