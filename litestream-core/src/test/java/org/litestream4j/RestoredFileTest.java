package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreProgress.Phase;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.FaultyFiles;
import org.litestream4j.testing.SqliteFixture;

/** Disks that do not keep what a restore wrote, and file systems that do not answer all questions. */
class RestoredFileTest extends EngineFixture {

    private Txid first;

    private void replicate() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (randomblob(300000))");
                database.sync(TIMEOUT);
                first = database.status().replicated();
                execute(connection, "INSERT INTO t VALUES (randomblob(300000))");
                database.sync(TIMEOUT);
            }
        }
    }

    private void restore(Path target) throws IOException {
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica.toUri().toString()))) {
            Restore.restore(client, target, RestoreOptions.defaults());
        }
    }

    @Test
    void diskThatLosesWrites_isFoundBeforeTheFileGetsItsName() throws Exception {
        replicate();
        FaultyFiles files = new FaultyFiles(1);
        files.loseWrites();
        Path target = files.path(folder.resolve("restored.db"));
        assertThatThrownBy(() -> restore(target))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("restored.db")
                .hasMessageContaining("the disk kept 0 of");
        assertThat(folder.resolve("restored.db")).doesNotExist();
    }

    @Test
    void fileStoreThatIsNotFound_isNoReasonToFail() throws Exception {
        replicate();
        FaultyFiles files = new FaultyFiles(1);
        files.hideStores();
        restore(files.path(folder.resolve("restored.db")));
        assertThat(folder.resolve("restored.db")).hasSameBinaryContentAs(path);
    }

    @Test
    void fileStoreThatIsNotFound_isNoReasonForASnapshotOrARestoreInPlaceToFail() throws Exception {
        create("CREATE TABLE t(x)");
        FaultyFiles files = new FaultyFiles(1);
        files.hideStores();
        DatabaseConfig config = config().metaPath(files.path(metaPath())).build();
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                first = database.status().replicated();
                execute(connection, "INSERT INTO t VALUES (2)");
                database.snapshot(TIMEOUT);
                database.restoreInPlace(
                        RestoreOptions.builder()
                                .target(RestoreTarget.txid(first))
                                .build(),
                        TIMEOUT);
                assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"empty", "short", "one page of zeros", "one bit"})
    void sideFileThatTheDiskDidNotKeep_neverReachesTheDatabase(String damage) throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (randomblob(30000))");
                database.sync(TIMEOUT);
                first = database.status().replicated();
                execute(connection, "INSERT INTO t VALUES (2)");
                RestoreOptions options = RestoreOptions.builder()
                        .target(RestoreTarget.txid(first))
                        .listener(progress -> {
                            if (progress.phase() == Phase.DONE) {
                                damage(metaPath().resolve("restore/in-place.db"), damage);
                            }
                        })
                        .build();
                assertThatThrownBy(() -> database.restoreInPlace(options, TIMEOUT))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("the disk did not keep");
                assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(2);
                execute(connection, "INSERT INTO t VALUES (3)");
                assertReplicated(database, connection);
            }
        }
    }

    private static void damage(Path file, String damage) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            switch (damage) {
                case "empty" -> channel.truncate(0);
                case "short" -> channel.truncate(channel.size() - 4096);
                case "one page of zeros" -> channel.write(java.nio.ByteBuffer.allocate(4096), 4096);
                default -> channel.write(java.nio.ByteBuffer.wrap(new byte[] {1}), 3 * 4096 + 77);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An open connection has fixed its encoding: what it wrote after the restore would be in the old one. */
    @ParameterizedTest
    @ValueSource(strings = {"UTF-16le", "UTF-16be"})
    void restoreInPlaceToAnotherTextEncoding_isRefusedAndChangesNothing(String encoding) throws Exception {
        create("PRAGMA encoding='" + encoding + "'", "CREATE TABLE t(x)", "INSERT INTO t VALUES ('äöü')");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            database.sync(TIMEOUT);
            first = database.status().replicated();
        }
        for (Path file : List.of(path, Path.of(path + "-wal"), Path.of(path + "-shm"))) {
            Files.deleteIfExists(file);
        }
        create("CREATE TABLE t(x)", "INSERT INTO t VALUES ('äöü'), ('second')");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                database.sync(TIMEOUT);
                assertThatThrownBy(() -> database.restoreInPlace(
                                RestoreOptions.builder()
                                        .target(RestoreTarget.txid(first))
                                        .build(),
                                TIMEOUT))
                        .hasMessageContaining("text encoding")
                        .hasMessageContaining(encoding);
                execute(connection, "INSERT INTO t VALUES ('äöü')");
                assertThat(query(connection, "SELECT count(*) FROM t WHERE x = 'äöü'"))
                        .isEqualTo(2);
                assertReplicated(database, connection);
            }
        }
        assertThat(SqliteFixture.integrity(path)).isEqualTo("ok");
    }
}
