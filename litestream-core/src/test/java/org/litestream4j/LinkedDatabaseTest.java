package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/** Databases whose configured path is not the name that SQLite gives to the file. */
class LinkedDatabaseTest extends EngineFixture {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    /** SQLite puts the WAL beside the target of the link, and so must we look there. */
    @ParameterizedTest
    @ValueSource(strings = {"current/app.db", "file-link.db", "current/../shared/real.db"})
    void databaseBehindLinks_isReplicated(String name) throws Exception {
        Path shared = Files.createDirectories(folder.resolve("releases/shared"));
        Path release = Files.createDirectories(folder.resolve("releases/1"));
        Files.createSymbolicLink(folder.resolve("current"), release);
        Files.createSymbolicLink(release.resolve("app.db"), Path.of("../shared/real.db"));
        Files.createSymbolicLink(folder.resolve("file-link.db"), shared.resolve("real.db"));
        path = Path.of(folder + "/" + name);
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            assertThat(database.config().path()).isEqualTo(shared.toRealPath().resolve("real.db"));
            try (Connection foreign = plain()) {
                execute(foreign, "PRAGMA wal_autocheckpoint=0", "INSERT INTO t VALUES (1)");
                assertReplicated(database, foreign);
                execute(foreign, "INSERT INTO t VALUES (2)");
                assertReplicated(database, foreign);
            }
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (3)");
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    /** SQLite says "database is locked" to the one, and to us after the other; neither names the setting. */
    @ParameterizedTest
    @ValueSource(strings = {"journal_mode=DELETE", "journal_mode=memory", "locking_mode=EXCLUSIVE"})
    void dataSourceWithSettingsThatReplicationCannotLiveWith_isRefusedByName(String setting) throws Exception {
        create("CREATE TABLE t(x)");
        SQLiteDataSource byUrl = new SQLiteDataSource();
        byUrl.setUrl("jdbc:sqlite:" + path + "?busy_timeout=10&" + setting);
        SQLiteDataSource byProperty = SqliteFixture.dataSource(path);
        String[] parts = setting.split("=", 2);
        Properties properties = new Properties();
        properties.setProperty(parts[0], parts[1]);
        byProperty.setConfig(new SQLiteConfig(properties));
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            for (DataSource source : List.of(byUrl, byProperty)) {
                assertThatThrownBy(() -> database.wrap(source).getConnection().close())
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining(setting);
            }
        }
    }

    @Test
    void journalModeThatIsNone_isRefusedAndNotRepeated() throws Exception {
        create("CREATE TABLE t(x)");
        SQLiteDataSource source = new SQLiteDataSource();
        source.setUrl("jdbc:sqlite:" + path + "?journal_mode=s3cret;password=s3cret");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            assertThatThrownBy(() -> database.wrap(source).getConnection().close())
                    .hasMessageContaining("journal_mode")
                    .hasMessageNotContaining("s3cret");
        }
    }

    /** SQLite would create another file, whose name has replacement characters. */
    @Test
    void nameWithBytesThatAreNoCharacters_isRefused() throws Exception {
        Path named = Files.createDirectory(folder.resolve("named"));
        Process made = new ProcessBuilder("sh", "-c", ": > \"$0/$(printf 'a\\377')\"", named.toString()).start();
        assertThat(made.waitFor()).isZero();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(named)) {
            Path file = files.iterator().next();
            assertThatThrownBy(() -> config(file, replica))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("bytes that are not characters");
        }
    }

    @Test
    void dataSourceOfAnotherFile_isRefused() throws Exception {
        create("CREATE TABLE t(x)");
        Path other = folder.resolve("other.db");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            assertThatThrownBy(() -> database.wrap(SqliteFixture.dataSource(other))
                            .getConnection()
                            .close())
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining(other.toRealPath().toString())
                    .hasMessageContaining(path.toRealPath().toString());
        }
    }

    @Test
    void hardLinkedDatabase_isRefused_untilItHasOneName() throws Exception {
        create("CREATE TABLE t(x)");
        Path second = folder.resolve("second.db");
        Files.createLink(second, path);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(
                    config().shutdownSyncTimeout(Duration.ofMillis(100)).build());
            await().atMost(TIMEOUT)
                    .until(() -> String.valueOf(database.status().lastError()).contains("hard links"));
            assertThat(database.status().state()).isNotEqualTo(DatabaseState.REPLICATING);
            Files.delete(second);
            database.sync(TIMEOUT);
        }
        assertReplicaIsDatabase();
    }
}
