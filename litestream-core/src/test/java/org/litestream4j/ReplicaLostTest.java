package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;

/** Replicas that lose what they had while a process writes to them. */
class ReplicaLostTest extends EngineFixture {

    @Test
    void emptiedReplica_isMadeWholeByTheNextUpload() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                for (int i = 0; i < 5; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    database.sync(TIMEOUT);
                }
                SqliteFixture.deleteTree(replica);
                execute(connection, "INSERT INTO t VALUES ('after')");
                await().atMost(TIMEOUT).until(() -> Files.isDirectory(replica));
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
        assertThat(logged()).anyMatch(line -> line.startsWith("files are missing on the replica"));
    }

    @Test
    void filesDeletedBetweenCommits_areMissedByTheNextCommit() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                for (int i = 0; i < 20; i++) {
                    execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                    database.sync(TIMEOUT);
                    if (i == 10) {
                        try (Stream<Path> files = Files.walk(replica)) {
                            for (Path file : files.filter(Files::isRegularFile).toList()) {
                                Files.delete(file);
                            }
                        }
                    }
                }
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
        assertThat(logged()).anyMatch(line -> line.startsWith("files are missing on the replica"));
    }

    /** As where a folder is unmounted, and mounted again. */
    @Test
    void replicaThatIsReplacedAndComesBack_isWholeBothTimes() throws Exception {
        create("CREATE TABLE t(x)");
        Path mounted = Files.createDirectory(folder.resolve("mounted"));
        Path below = Files.createDirectory(folder.resolve("below"));
        Files.createSymbolicLink(replica, mounted);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
                assertReplicated(database, connection);
                pointTo(below);
                execute(connection, "INSERT INTO t VALUES ('unmounted')");
                assertReplicated(database, connection);
                pointTo(mounted);
                execute(connection, "INSERT INTO t VALUES ('mounted again')");
                await().atMost(TIMEOUT).untilAsserted(() -> {
                    database.sync(TIMEOUT);
                    database.snapshot(TIMEOUT);
                    Path restored = folder.resolve("probe.db");
                    Files.deleteIfExists(restored);
                    SqliteFixture.mergeLevel0(mounted, restored);
                    try (Connection probe = java.sql.DriverManager.getConnection("jdbc:sqlite:" + restored)) {
                        assertThat(SqliteFixture.query(probe, "SELECT count(*) FROM t"))
                                .isEqualTo(3);
                    }
                });
            }
        }
    }

    /** The content does not show that the replica belongs to the database, and the local files have expired. */
    @Test
    void replicaThatComesBackAfterAFullImageBelow_isContinued() throws Exception {
        create("CREATE TABLE t(x)");
        Path mounted = Files.createDirectory(folder.resolve("mounted"));
        Path below = Files.createDirectory(folder.resolve("below"));
        Files.createSymbolicLink(replica, mounted);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                replaceAll(database, connection, 8);
                SqliteFixture.deleteTree(metaPath().resolve("ltx/0"));
                pointTo(below);
                replaceAll(database, connection, 20);
                pointTo(mounted);
                replaceAll(database, connection, 1);
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    /** The file is listed, and those after it continue it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 50, 150})
    void ownFileThatIsCutShort_isPassedByASnapshotBeforeCommitsCount(int length) throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                insert(database, connection, 5);
                Path newest = replica.resolve("ltx/0")
                        .resolve(LtxFileName.of(database.status().replicated()).toString());
                Files.write(newest, Arrays.copyOf(Files.readAllBytes(newest), length));
                execute(connection, "INSERT INTO t VALUES ('after')");
                await().atMost(TIMEOUT).until(() -> logged().stream()
                        .anyMatch(line -> line.startsWith("files of the replica are missing or damaged, a snapshot")));
                database.sync(TIMEOUT);
                assertThat(restoredRows()).isEqualTo(SqliteFixture.query(connection, "SELECT count(*) FROM t"));
                assertThat(database.status().state()).isEqualTo(DatabaseState.REPLICATING);
            }
        }
    }

    private Object restoredRows() throws Exception {
        Path restored = Files.createTempDirectory(folder, "restored").resolve("app.db");
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica.toUri().toString()))) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        try (Connection probe = java.sql.DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            return SqliteFixture.query(probe, "SELECT count(*) FROM t");
        }
    }

    private static void replaceAll(ManagedDatabase database, Connection connection, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            execute(connection, "DELETE FROM t");
            execute(
                    connection,
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
                            + " INSERT INTO t SELECT randomblob(3000) FROM n");
            database.sync(TIMEOUT);
        }
    }

    private void pointTo(Path target) throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link"), target);
        Files.move(link, replica, StandardCopyOption.ATOMIC_MOVE);
    }

    /** In the process that created the database, whose oldest reader saw it empty. */
    @Test
    void allFilesButTheNewestDeleted_holdsCommitsUntilTheReplicaIsWhole() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection plain = open(database)) {
                execute(plain, "CREATE TABLE t(x)");
                for (int i = 0; i < 5; i++) {
                    execute(plain, "INSERT INTO t VALUES (randomblob(3000))");
                    database.sync(TIMEOUT);
                }
                Path newest = replica.resolve("ltx/0")
                        .resolve(LtxFileName.of(database.status().replicated()).toString());
                deleteAllBut(newest);
                execute(plain, "INSERT INTO t VALUES ('after')");
                await().atMost(TIMEOUT)
                        .until(() -> logged().stream().anyMatch(line -> line.startsWith("files are missing")));
                execute(plain, "INSERT INTO t VALUES ('later')");
                database.awaitReplicated(TIMEOUT);
                assertThat(restoredCount()).isEqualTo(7);
            }
        }
        assertThat(restoredCount()).isEqualTo(7);
    }

    /** Only the newest file proves that the replica belongs to the database; it does not prove that a restore reaches it. */
    @ParameterizedTest
    @ValueSource(strings = {"9", "1", "0"})
    void filesThatDisappearedBeforeTheStart_areReplacedBeforeCommitsCount(String level) throws Exception {
        create("CREATE TABLE t(x)");
        DatabaseConfig config = config().level0Retention(Duration.ofMillis(1)).build();
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection plain = open(database)) {
                insert(database, plain, 4);
                database.compact(TIMEOUT);
                insert(database, plain, 1);
                if (!level.equals("1")) { // else merged files do without this level
                    database.compact(TIMEOUT);
                }
                insert(database, plain, 2);
            }
        }
        Path folderOfLevel = replica.resolve("ltx").resolve(level);
        try (Stream<Path> files = Files.list(folderOfLevel)) {
            Files.delete(files.sorted().findFirst().orElseThrow());
        }
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            database.sync(TIMEOUT);
            assertThat(restoredCount()).isEqualTo(7);
            try (Connection plain = open(database)) {
                insert(database, plain, 1);
                assertThat(restoredCount()).isEqualTo(8);
            }
        }
        assertThat(logged()).anyMatch(line -> line.startsWith("files of the replica are missing or damaged"));
    }

    /** The engine knows a snapshot that is later than everything that is left, and that does not exist any more. */
    @Test
    void levelsLostWithTheNewestSnapshot_holdCommitsUntilANewSnapshot() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection plain = open(database)) {
                insert(database, plain, 5);
                database.compact(TIMEOUT);
                insert(database, plain, 3);
                database.snapshot(TIMEOUT);
                SqliteFixture.deleteTree(replica.resolve("ltx/0"));
                SqliteFixture.deleteTree(replica.resolve("ltx/9"));
                execute(plain, "INSERT INTO t VALUES ('after')");
                await().atMost(TIMEOUT)
                        .until(() -> logged().stream().anyMatch(line -> line.startsWith("files are missing")));
                execute(plain, "INSERT INTO t VALUES ('later')");
                database.awaitReplicated(TIMEOUT);
                assertThat(restoredCount()).isEqualTo(10);
            }
        }
        assertThat(restoredCount()).isEqualTo(10);
    }

    private static void insert(ManagedDatabase database, Connection connection, int rows) throws Exception {
        for (int i = 0; i < rows; i++) {
            execute(connection, "INSERT INTO t VALUES (randomblob(3000))");
            database.sync(TIMEOUT);
        }
    }

    private void deleteAllBut(Path kept) throws Exception {
        try (Stream<Path> files = Files.walk(replica)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.equals(kept)) {
                    Files.delete(file);
                }
            }
        }
    }

    private long restoredCount() throws Exception {
        Path restored = Files.createTempDirectory(folder, "restored").resolve("app.db");
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica.toUri().toString()))) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        try (Connection connection = java.sql.DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            return SqliteFixture.query(connection, "SELECT count(*) FROM t");
        }
    }

    /** What is read back at the end is the file that was written last. */
    @Test
    void newestFileThatAnotherProgramOverwrote_failsTheEnd() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                execute(connection, "INSERT INTO t VALUES (2)");
                database.sync(TIMEOUT);
            }
            Path newest = replica.resolve("ltx/0")
                    .resolve(org.litestream4j.ltx.LtxFileName.of(
                                    database.status().replicated())
                            .toString());
            byte[] content = Files.readAllBytes(newest);
            content[content.length - 1]++;
            Files.write(newest, content);
            assertThatThrownBy(() -> litestream.unregister(database.name()))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("overwritten");
        }
    }

    /** Everything is there, and the shutdown must not wait for the store to say so. */
    @Test
    void storeThatIsAwayAtTheEnd_isNoErrorIfEverythingWasUploaded() throws Exception {
        GatedReplicaProvider.Control control = GatedReplicaProvider.control(replica);
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                            .shutdownSyncTimeout(java.time.Duration.ofHours(1))
                            .build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
            }
            control.away = true;
            litestream.unregister(database.name());
        }
        control.away = false;
        assertReplicaIsDatabase();
    }

    /** An upload whose answer was lost, and whose local file is lost, too, is known to be ours at the next listing. */
    @Test
    void uploadThatNobodyHeardOf_isNoConflictLater() throws Exception {
        GatedReplicaProvider.Control control = GatedReplicaProvider.control(replica);
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                            .syncInterval(java.time.Duration.ofMillis(10))
                            .level0Retention(java.time.Duration.ZERO) // no proof lasts
                            .autoRecover(false)
                            .build());
            try (Connection connection = open(database)) {
                database.sync(TIMEOUT);
                control.answersLost = true;
                execute(connection, "INSERT INTO t VALUES (1)");
                var unheard = database.status().replicated().next();
                await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
                Files.delete(metaPath()
                        .resolve("ltx/0")
                        .resolve(org.litestream4j.ltx.LtxFileName.of(unheard).toString()));
                control.answersLost = false;
                database.sync(TIMEOUT);
                execute(connection, "INSERT INTO t VALUES (2)");
                database.sync(TIMEOUT);
                assertThat(database.status().state()).isEqualTo(DatabaseState.REPLICATING);
            }
        }
        assertReplicaIsDatabase();
    }
}
