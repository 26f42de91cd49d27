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

/** Starts on a replica that lost files, while the snapshot that repairs it cannot be uploaded yet. */
class BrokenReplicaTest extends EngineFixture {

    private GatedReplicaProvider.Control control;

    private DatabaseConfig.Builder gated() {
        control = GatedReplicaProvider.control(replica);
        control.local = true;
        return DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .syncInterval(Duration.ofMillis(10))
                .levels(List.of(NEVER))
                .snapshotInterval(NEVER);
    }

    /** A full image at each start would not help: what a restore needs is the snapshot. */
    @Test
    void missingFile_costsASnapshotAndNoFullImage_howeverManyStartsItTakes() throws Exception {
        create("CREATE TABLE t(x)");
        DatabaseConfig config = gated().build();
        Txid newest = run(config, 6);
        Files.delete(level0(new Txid(newest.value() - 2)));
        assertThat(images()).isEqualTo(1);

        control.refusedLevel = ReplicaClient.SNAPSHOT_LEVEL;
        for (int start = 1; start <= 2; start++) {
            try (Litestream litestream = litestream()) {
                ManagedDatabase database = litestream.register(config);
                try (Connection connection = open(database)) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    await().atMost(TIMEOUT)
                            .until(() -> database.status()
                                            .replicated()
                                            .equals(database.status().captured())
                                    && database.status().lastError() != null);
                    assertThatThrownBy(() -> database.awaitReplicated(Duration.ofMillis(50)))
                            .isInstanceOf(NotReplicatedException.class);
                    assertThat(database.status().lag()).isPositive();
                }
            }
        }
        assertThat(images()).as("full images of the starts").isEqualTo(1);

        control.refusedLevel = -1;
        run(config, 1);
        assertThat(images()).isEqualTo(1);
        assertThat(SqliteFixture.level(replica, ReplicaClient.SNAPSHOT_LEVEL)).hasSize(2);
        assertThat(restoredCount()).isEqualTo(9);
        assertThat(logged())
                .anyMatch(line -> line.startsWith("files of the replica are missing or damaged, a snapshot"));
        run(config, 1); // repaired for good
        assertThat(SqliteFixture.level(replica, ReplicaClient.SNAPSHOT_LEVEL)).hasSize(2);
    }

    /** One full image replaces the local file; it does not repair the replica. */
    @Test
    void missingFileOnTheReplicaAndMissingLocalFile_holdCommitsUntilASnapshot() throws Exception {
        create("CREATE TABLE t(x)");
        DatabaseConfig config =
                gated().shutdownSyncTimeout(Duration.ofMillis(10)).build();
        Txid newest = run(config, 6);
        control.away = true;
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                for (int i = 0; i < 2; i++) {
                    Txid before = database.status().captured();
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    await().atMost(TIMEOUT)
                            .until(() -> database.status().captured().isAfter(before));
                }
            }
        } catch (LitestreamException e) {
            assertThat(logged()).anyMatch(line -> line.startsWith("upload failed")); // not everything is replicated
        }
        Files.delete(metaPath()
                .resolve("ltx/0")
                .resolve(LtxFileName.of(newest.next()).toString()));
        Files.delete(level0(new Txid(newest.value() - 2)));
        control.away = false;
        control.refusedLevel = ReplicaClient.SNAPSHOT_LEVEL;
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                await().atMost(TIMEOUT)
                        .until(() -> database.status().replicated().isAfter(newest)
                                && database.status().lastError() != null);
                assertThatThrownBy(() -> database.awaitReplicated(Duration.ofMillis(50)))
                        .isInstanceOf(NotReplicatedException.class);
                control.refusedLevel = -1;
                database.awaitReplicated(TIMEOUT);
                assertThat(restoredCount()).isEqualTo(9);
            }
        }
        assertThat(images()).isEqualTo(2);
    }

    /** The numbers of lost transactions are used again: that they were on the replica once releases nothing. */
    @Test
    void commitWithTheNumberOfALostTransaction_isHeldUntilTheSnapshot() throws Exception {
        create("CREATE TABLE t(x)");
        DatabaseConfig config = gated().build();
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                for (int i = 0; i < 5; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    database.sync(TIMEOUT);
                }
                database.compact(TIMEOUT);
                for (int i = 0; i < 5; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    database.sync(TIMEOUT);
                }
                Txid before = database.status().replicated();
                control.refusedLevel = ReplicaClient.SNAPSHOT_LEVEL;
                SqliteFixture.deleteTree(replica.resolve("ltx/0"));
                SqliteFixture.deleteTree(replica.resolve("ltx/9"));
                execute(connection, "INSERT INTO t VALUES ('after')");
                await().atMost(TIMEOUT)
                        .until(() -> images() == 2
                                && database.status()
                                        .replicated()
                                        .equals(database.status().captured()));
                execute(connection, "INSERT INTO t VALUES ('later')");
                assertThatThrownBy(() -> database.awaitReplicated(Duration.ofMillis(500)))
                        .isInstanceOf(NotReplicatedException.class);
                assertThat(database.status().captured()).isLessThanOrEqualTo(before);
                control.refusedLevel = -1;
                database.awaitReplicated(TIMEOUT);
                assertThat(restoredCount()).isEqualTo(12);
            }
        }
    }

    /** Inserts rows, each of which is replicated. Returns the newest transaction. */
    private Txid run(DatabaseConfig config, int rows) throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                for (int i = 0; i < rows; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    database.sync(TIMEOUT);
                }
            }
            database.sync(TIMEOUT);
            return database.status().replicated();
        }
    }

    private Path level0(Txid txid) {
        return replica.resolve("ltx/0").resolve(LtxFileName.of(txid).toString());
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
