package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.SqliteFixture;

class LitestreamTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private Path path;
    private Path replica;
    private DatabaseConfig config;

    @BeforeEach
    void configure() {
        path = folder.resolve("app.db");
        replica = folder.resolve("replica");
        config = DatabaseConfig.builder(path, ReplicaLocation.of(replica.toUri().toString()))
                .build();
    }

    @Test
    void newDatabase_isReplicated() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            assertThat(database.status().state()).isEqualTo(DatabaseState.WAITING);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)", "insert into t values (1), (2)");
                database.sync(TIMEOUT);
                execute(connection, "insert into t values (3)");
                database.sync(TIMEOUT);
                DatabaseStatus status = database.status();
                assertThat(status.state()).isEqualTo(DatabaseState.REPLICATING);
                assertThat(status.replicated()).isEqualTo(status.captured()).isNotEqualTo(Txid.NONE);
                assertThat(status.lastError()).isNull();
            }
        }
        assertRows(3);
    }

    @Test
    void restartAfterCleanStop_goesOnWithoutImage() throws Exception {
        writeAndClose("create table t(x)", "insert into t values (1), (zeroblob(100000))");
        int files = SqliteFixture.level0(replica).size();
        writeAndClose("insert into t values (3)");
        var names = SqliteFixture.level0(replica);
        assertThat(names.size()).isGreaterThan(files);
        for (var name : names.subList(files, names.size())) {
            assertThat(SqliteFixture.pages(replica, name)).isLessThan(5);
        }
        assertRows(3);
    }

    @Test
    void restartWithoutChange_addsNothing() throws Exception {
        writeAndClose("create table t(x)", "insert into t values (1)");
        var before = SqliteFixture.level0(replica);
        for (int i = 0; i < 3; i++) {
            writeAndClose();
        }
        assertThat(SqliteFixture.level0(replica)).isEqualTo(before);
        assertRows(1);
    }

    @Test
    void databaseThatNobodyToldOf_isCapturedBeforeClosing() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.register(config);
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
                execute(connection, "create table t(x)", "insert into t values (1), (2)");
            }
        }
        assertRows(2);
    }

    @Test
    void localStateThatCannotBeMade_isNamedWithARemedy() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            execute(connection, "create table t(x)");
        }
        Files.createFile(config.metaPath());
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
            assertThat(database.status().lastError())
                    .contains("cannot create the local state in " + config.metaPath())
                    .contains("put the local state elsewhere with metaPath");
            Files.delete(config.metaPath());
            database.sync(TIMEOUT);
        }
    }

    @Test
    void pathThatIsNoFile_isRefused() throws Exception {
        Files.createDirectory(path);
        try (Litestream litestream = Litestream.builder().build()) {
            assertThatThrownBy(() -> litestream.register(config))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessage(path + ": it is a folder; name the database file");
            DatabaseConfig device = DatabaseConfig.builder(Path.of("/dev/null"), config.replica())
                    .metaPath(config.metaPath())
                    .build();
            assertThatThrownBy(() -> litestream.register(device))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("it is a device");
            assertThat(litestream.databases()).isEmpty();
        }
    }

    @Test
    void fileThatIsNoDatabase_isNotWaitedFor() throws Exception {
        Files.writeString(path, "no database, but as long as the header of one: " + "x".repeat(100));
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            assertThatThrownBy(() -> database.sync(Duration.ofMinutes(10)))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("SQLITE_NOTADB")
                    .hasMessageContaining("correct the path");
        }
    }

    @Test
    void replicaThatWasNeverReached_showsAsLag() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            execute(connection, "create table t(x)", "insert into t values (1)");
        }
        DatabaseConfig hasty = DatabaseConfig.builder(
                        path, ReplicaLocation.of("nats://127.0.0.1:1/bucket?timeout=200ms"))
                .shutdownSyncTimeout(Duration.ofMillis(100))
                .build();
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(hasty);
            assertThat(database.status().lag()).isPositive();
            await().atMost(TIMEOUT).until(() -> database.status().lag().compareTo(Duration.ofMillis(1500)) > 0);
            assertThat(database.status().lastError()).contains("nats://127.0.0.1:1");
        }
    }

    @Test
    void replicaThatRefuses_failsTheStart() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            execute(connection, "create table t(x)");
        }
        Files.createFile(replica); // where the folder should be
        try (Litestream litestream = Litestream.builder().build()) {
            assertThatThrownBy(() -> litestream.register(config))
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("there is a file in place of the folder");
            assertThat(litestream.databases()).isEmpty();
        }
    }

    @Test
    void replicaInsideTheLocalState_isRefused() throws Exception {
        DatabaseConfig inside = DatabaseConfig.builder(
                        path, ReplicaLocation.of("file://" + config.metaPath().resolve("replica")))
                .build();
        try (Litestream litestream = Litestream.builder().build()) {
            assertThatThrownBy(() -> litestream.register(inside))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("lies inside its local state");
            assertThatThrownBy(() -> litestream.restoreIfMissing(inside)).isInstanceOf(LitestreamException.class);
        }
    }

    @Test
    void lagOfZero_meansThatAllIsOnTheReplica() throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, "create table t(x)");
                for (int row = 1; row <= 3; row++) {
                    execute(connection, "insert into t values (" + row + ")");
                    await().atMost(TIMEOUT).until(() -> database.status().lag().isZero());
                    Path restored = folder.resolve("restored-" + row + ".db");
                    SqliteFixture.mergeLevel0(replica, restored);
                    try (Connection copy = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
                        assertThat(query(copy, "select count(*) from t")).isEqualTo(row);
                    }
                }
            }
        }
    }

    private void writeAndClose(String... statements) throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(connection, statements);
                database.sync(TIMEOUT);
            }
        }
    }

    private void assertRows(int expected) throws Exception {
        Path restored = folder.resolve("restored.db");
        SqliteFixture.mergeLevel0(replica, restored);
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
            assertThat(query(connection, "select count(*) from t")).isEqualTo(expected);
        }
        assertThat(restored).hasSameBinaryContentAs(path);
    }
}
