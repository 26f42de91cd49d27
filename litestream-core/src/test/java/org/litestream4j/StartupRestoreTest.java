package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;

class StartupRestoreTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private Path path;
    private Path replica;
    private DatabaseConfig config;

    @BeforeEach
    void configure() throws Exception {
        path = Files.createDirectory(folder.resolve("data")).resolve("app.db");
        replica = folder.resolve("replica");
        config = DatabaseConfig.builder(path, ReplicaLocation.of(replica.toUri().toString()))
                .levels(List.of(EngineFixture.NEVER)) // level 0 stays as the tests left it
                .build();
    }

    @Test
    void nothingToRestore_isNoError() throws Exception {
        assertThat(restore()).isEmpty();
        assertThat(path).doesNotExist();
    }

    @Test
    void presentDatabase_isLeftAlone() throws Exception {
        run("create table t(x)");
        assertThat(restore()).isEmpty();
    }

    @Test
    void lostDisk_comesBackAndGoesOnWithoutImage() throws Exception {
        run("create table t(x)", "insert into t values (zeroblob(200000))");
        run("insert into t values (2)");
        deleteFolder(path.getParent());

        assertThat(restore()).isPresent();
        assertContinues(2);
    }

    /**
     * A commit may be captured before the replica was looked at: in a store far away that look takes a second. The database may
     * even be let go of meanwhile, and taken up again.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lostDisk_commitsComeBeforeTheReplicaAnswers_goesOnWithoutImage(boolean letGo) throws Exception {
        run("create table t(x)", "insert into t values (zeroblob(200000))");
        run("insert into t values (2)");
        deleteFolder(path.getParent());
        config = DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .levels(config.levels())
                .build();
        RestoreResult restored = restore().orElseThrow();
        List<LtxFileName> before = SqliteFixture.level0(replica);
        GatedReplicaProvider.control(replica).away = true;
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "insert into t values (3)");
                await().atMost(TIMEOUT).until(() -> database.status().captured().isAfter(restored.txid()));
                if (letGo) {
                    database.pause(TIMEOUT);
                    database.resume();
                    await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.REPLICATING);
                }
                GatedReplicaProvider.control(replica).away = false;
                database.sync(TIMEOUT);
            }
        }
        List<LtxFileName> after = SqliteFixture.level0(replica);
        assertThat(after).hasSize(before.size() + 1);
        assertThat(SqliteFixture.pages(replica, after.get(before.size()))).isLessThan(10);
    }

    @Test
    void lostDatabaseFile_comesBackWithWhatWasNotUploaded() throws Exception {
        run("create table t(x)", "insert into t values (zeroblob(200000))");
        run("insert into t values (2)");
        run("insert into t values (3)");
        List<LtxFileName> uploaded = SqliteFixture.level0(replica);
        for (LtxFileName name : uploaded.subList(uploaded.size() - 2, uploaded.size())) {
            Files.delete(replica.resolve("ltx/0").resolve(name.toString())); // as if the replica had been away
        }
        Files.delete(path);

        RestoreResult result = restore().orElseThrow();
        assertThat(result.localFiles()).isEqualTo(2);
        assertContinues(3);
        assertThat(SqliteFixture.level0(replica)).containsAll(uploaded);
    }

    @Test
    void lostDatabaseFile_withAHoleAmongLocalFiles_refusesToStartUntilTheFileIsBack() throws Exception {
        run("create table t(x)", "insert into t values (1)");
        for (int i = 2; i <= 5; i++) {
            run("insert into t values (" + i + ")");
        }
        List<LtxFileName> uploaded = SqliteFixture.level0(replica);
        for (LtxFileName name : uploaded.subList(uploaded.size() - 3, uploaded.size())) {
            Files.delete(replica.resolve("ltx/0").resolve(name.toString())); // as if the replica had been away
        }
        Files.delete(path);
        Path lost = config.metaPath()
                .resolve("ltx/0")
                .resolve(uploaded.get(uploaded.size() - 2).toString());
        Path aside = Files.move(lost, folder.resolve("lost"));
        assertThatThrownBy(this::restore)
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(RestoreException.Reason.GAP))
                .hasMessageContaining(uploaded.get(uploaded.size() - 2).min().toString());
        assertThat(path).doesNotExist();
        Files.move(aside, lost);
        assertThat(restore().orElseThrow().localFiles()).isEqualTo(3);
        assertContinues(5);
    }

    /** The replica was emptied on purpose: what is here without it leads nowhere, but is kept. */
    @Test
    void emptyReplica_andLocalFilesThatLeadNowhere_beginsAnewAndKeepsThem() throws Exception {
        run("create table t(x)", "insert into t values (1)");
        run("insert into t values (2)");
        Path local = config.metaPath().resolve("ltx/0");
        List<Path> files;
        try (var found = Files.list(local)) {
            files = found.sorted().toList();
        }
        for (Path file : files.subList(0, files.size() - 1)) {
            Files.delete(file);
        }
        String kept = files.get(files.size() - 1).getFileName().toString();
        deleteFolder(replica);
        Files.delete(path);
        assertThat(restore()).isEmpty();
        try (var moved = Files.list(path.getParent())) {
            assertThat(moved.filter(Files::isDirectory)
                            .map(folder -> folder.resolve("ltx/0").resolve(kept)))
                    .singleElement()
                    .satisfies(file -> assertThat(file).exists());
        }
    }

    @Test
    void lostDatabaseFile_withOnlyTheFirstImageUploaded_comesBackWhole() throws Exception {
        run("create table t(x)", "insert into t values (1)");
        run("insert into t values (2)");
        List<LtxFileName> uploaded = SqliteFixture.level0(replica);
        for (LtxFileName name : uploaded) {
            Files.delete(replica.resolve("ltx/0").resolve(name.toString()));
        }
        Files.delete(path);

        assertThat(restore().orElseThrow().localFiles()).isEqualTo(uploaded.size());
        assertContinues(2);
        assertThat(SqliteFixture.level0(replica)).containsAll(uploaded);
    }

    @Test
    void emptyFile_countsAsMissing() throws Exception {
        run("create table t(x)", "insert into t values (1)");
        deleteFolder(path.getParent());
        Files.createDirectories(path.getParent());
        Files.createFile(path);
        assertThat(restore()).isPresent();
        assertContinues(1);
    }

    /** A pool that switches a new database to WAL leaves a page without content, for example in the image of a container. */
    @Test
    void databaseWithoutContent_thatWasNeverReplicated_countsAsMissing() throws Exception {
        run("create table t(x)", "insert into t values (1)");
        deleteFolder(path.getParent());
        createWithoutContent("pragma journal_mode=wal");

        assertThat(restore()).isPresent();
        assertContinues(1);
    }

    @Test
    void databaseWithoutContent_andWithoutABackup_isLeftAlone() throws Exception {
        createWithoutContent("pragma page_size=8192", "pragma journal_mode=wal");
        byte[] before = Files.readAllBytes(path);
        assertThat(restore()).isEmpty();
        assertThat(path).hasBinaryContent(before);
    }

    /** Each of these says something that the application wants to keep. */
    @ParameterizedTest
    @ValueSource(strings = {"create table other(x)", "pragma user_version=3", "pragma application_id=7"})
    void databaseWithAnyContent_isLeftAlone(String content) throws Exception {
        run("create table t(x)", "insert into t values (1)");
        deleteFolder(path.getParent());
        createWithoutContent("pragma journal_mode=wal", content);
        byte[] before = Files.readAllBytes(path);
        assertThat(restore()).isEmpty();
        assertThat(path).hasBinaryContent(before);
    }

    /** All tables were dropped after the database had been replicated: that may be intended. */
    @Test
    void databaseWithoutContent_withItsLocalState_isLeftAlone() throws Exception {
        run("create table t(x)");
        try (Connection connection = SqliteFixture.dataSource(path).getConnection()) {
            execute(connection, "drop table t", "vacuum");
        }
        assertThat(restore()).isEmpty();
    }

    /** The other connection would continue with the old file. */
    @Test
    void databaseWithoutContent_thatIsOpen_isNotReplaced() throws Exception {
        run("create table t(x)", "insert into t values (1)");
        deleteFolder(path.getParent());
        createWithoutContent("pragma journal_mode=wal");
        try (Connection connection = SqliteFixture.dataSource(path).getConnection()) {
            query(connection, "select count(*) from sqlite_schema");
            assertThatThrownBy(this::restore)
                    .isInstanceOf(RestoreException.class)
                    .hasMessageContaining("another connection has it open");
            execute(connection, "create table other(x)");
        }
        assertThat(restore()).isEmpty();
    }

    private void createWithoutContent(String... statements) throws Exception {
        Files.createDirectories(path.getParent());
        try (Connection connection = SqliteFixture.dataSource(path).getConnection()) {
            for (String statement : statements) {
                execute(connection, statement);
            }
        }
        assertThat(path).isNotEmptyFile();
    }

    @Test
    void leftoverWal_isMovedAsideNotApplied() throws Exception {
        run("create table t(x)", "insert into t values (1)");
        Files.delete(path);
        Path wal = path.resolveSibling("app.db-wal");
        Files.writeString(wal, "left over");
        RestoreResult result = restore().orElseThrow();
        assertThat(wal).doesNotExist();
        assertThat(result.movedAside()).hasSize(1).allSatisfy(moved -> assertThat(moved)
                .hasContent("left over"));
        assertContinues(1);
    }

    @Test
    void missingDatabaseIsNotReplacedByAnEmptyOne() throws Exception {
        run("create table t(x)");
        deleteFolder(path.getParent());
        try (Litestream litestream = Litestream.builder().build()) {
            assertThatThrownBy(() -> litestream.register(config))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("holds a backup")
                    .hasMessageContaining("replaceWithEmpty=true");
        }
    }

    @Test
    void damagedReplica_failsTheStart() throws Exception {
        run("create table t(x)", "insert into t values (zeroblob(200000))");
        deleteFolder(path.getParent());
        Path file = replica.resolve("ltx/0")
                .resolve(SqliteFixture.level0(replica).get(0).toString());
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        bytes[200] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(this::restore)
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining(file.getFileName().toString());
        assertThat(path).doesNotExist();
    }

    private Optional<RestoreResult> restore() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            return litestream.restoreIfMissing(config);
        }
    }

    /** The restored database has so many rows, and one more insert adds a small file, no image. */
    private void assertContinues(int rows) throws Exception {
        List<LtxFileName> before = SqliteFixture.level0(replica);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                assertThat(query(connection, "select count(*) from t")).isEqualTo(rows);
                execute(connection, "insert into t values (0)");
                database.sync(TIMEOUT);
            }
        }
        List<LtxFileName> after = SqliteFixture.level0(replica);
        assertThat(after.size()).isGreaterThan(before.size());
        for (LtxFileName name : after.subList(before.size(), after.size())) {
            assertThat(SqliteFixture.pages(replica, name)).isLessThan(10);
        }
        assertThat(SqliteFixture.integrity(path)).isEqualTo("ok");
    }

    private void run(String... statements) throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, statements);
                database.sync(TIMEOUT);
            }
        }
    }

    private static void deleteFolder(Path root) throws Exception {
        try (var paths = Files.walk(root)) {
            for (Path each : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
