package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteDataSource;

/** An application that asks SQLite for a checkpoint gets one, and holds up nobody. */
class CheckpointPragmaTest extends EngineFixture {

    /** How long SQLite would wait for the reader of the engine, with the write lock held. */
    private static final int BUSY_MILLIS = 10_000;

    private Litestream litestream;
    private ManagedDatabase database;

    @BeforeEach
    void begin() throws Exception {
        create("CREATE TABLE t(x)");
        litestream = litestream();
        database = litestream.register(
                config() // no round but those that are asked for
                        .checkpointInterval(Duration.ofHours(1))
                        .minCheckpointPages(100_000)
                        .walLimitPages(100_000)
                        .build());
        database.sync(TIMEOUT);
    }

    @AfterEach
    void end() {
        litestream.close();
    }

    private Connection open() throws SQLException {
        SQLiteDataSource source = SqliteFixture.dataSource(path);
        source.getConfig().setBusyTimeout(BUSY_MILLIS);
        return database.wrap(source).getConnection();
    }

    private void write(Connection connection) throws Exception {
        for (int i = 0; i < 50; i++) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(3000))");
        }
        database.sync(TIMEOUT);
    }

    private static String row(ResultSet row) throws SQLException {
        assertThat(row.getMetaData().getColumnCount()).isEqualTo(3);
        assertThat(row.next()).isTrue();
        String text = row.getInt("busy") + "|" + (row.getInt(2) - row.getInt(3));
        assertThat(row.getString(1)).isEqualTo(row.getObject("busy").toString());
        row.close();
        return text;
    }

    private interface Call {
        String with(Statement statement, String sql) throws SQLException;
    }

    private enum Way implements Call {
        QUERY {
            @Override
            public String with(Statement statement, String sql) throws SQLException {
                return row(statement.executeQuery(sql));
            }
        },
        EXECUTE {
            @Override
            public String with(Statement statement, String sql) throws SQLException {
                assertThat(statement.execute(sql)).isTrue();
                return row(statement.getResultSet());
            }
        },
        PREPARED {
            @Override
            public String with(Statement statement, String sql) throws SQLException {
                try (PreparedStatement prepared = statement.getConnection().prepareStatement(sql)) {
                    return row(prepared.executeQuery());
                }
            }
        },
        UPDATE {
            @Override
            public String with(Statement statement, String sql) throws SQLException {
                statement.executeUpdate(
                        "INSERT INTO t VALUES ('PRAGMA wal_checkpoint(FULL); --'); " + sql + "; SELECT 1");
                return "0|0";
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PRAGMA wal_checkpoint(TRUNCATE)",
                "PRAGMA wal_checkpoint(RESTART);",
                "pragma main . wal_checkpoint = full",
                "-- now\n;; /* all */ PRAGMA/**/\"Main\".[wal_checkpoint]/* ) */( -- x\n 'Truncate' )",
            })
    void checkpoint_completesWithoutWaitingForTheEngine(String sql) throws Exception {
        try (Connection connection = open();
                Statement statement = connection.createStatement()) {
            for (Way way : Way.values()) {
                write(connection);
                long begun = System.nanoTime();
                assertThat(way.with(statement, sql)).as(way + " " + sql).isEqualTo("0|0");
                assertThat(Duration.ofNanos(System.nanoTime() - begun))
                        .as(way + " " + sql)
                        .isLessThan(Duration.ofMillis(BUSY_MILLIS / 2));
                assertThat(Files.size(path)).isEqualTo(query(connection, "PRAGMA page_count") * 4096);
            }
            assertThat(query(connection, "SELECT count(*) FROM t WHERE typeof(x) = 'text'"))
                    .isOne();
            assertReplicated(database, connection);
        }
        assertThat(images()).isOne();
    }

    @Test
    void batchedCheckpoint_waitsForNobody() throws Exception {
        try (Connection connection = open();
                Statement statement = connection.createStatement()) {
            write(connection);
            long begun = System.nanoTime();
            statement.addBatch("INSERT INTO t VALUES (1)");
            try {
                statement.addBatch("PRAGMA wal_checkpoint(TRUNCATE)");
                statement.executeBatch();
            } catch (SQLException e) {
                assertThat(e.getMessage()).contains("query returns results"); // as the driver has it
            }
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofMillis(BUSY_MILLIS / 2));
        }
    }

    @Test
    void checkpointThatAReaderKeepsFromCompleting_saysBusy() throws Exception {
        try (Connection connection = open();
                Connection reader = plain();
                Statement statement = connection.createStatement()) {
            execute(reader, "BEGIN");
            query(reader, "SELECT count(*) FROM t");
            write(connection);
            long begun = System.nanoTime();
            assertThat(row(statement.executeQuery("PRAGMA wal_checkpoint(TRUNCATE)")))
                    .startsWith("1|");
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofMillis(BUSY_MILLIS / 2));
            execute(reader, "ROLLBACK");
            assertThat(row(statement.executeQuery("PRAGMA wal_checkpoint(TRUNCATE)")))
                    .isEqualTo("0|0");
        }
    }

    @Test
    void walIsSmallAfterTheNextWrite() throws Exception {
        try (Connection connection = open();
                Statement statement = connection.createStatement()) {
            write(connection);
            statement.executeQuery("PRAGMA wal_checkpoint(TRUNCATE)").close();
            execute(connection, "INSERT INTO t VALUES (1)");
            try (ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint")) {
                assertThat(row.getInt(2)).isLessThan(5); // frames in the WAL
            }
            assertReplicated(database, connection);
        }
    }

    @Test
    void attachedDatabaseThatIsNotReplicated_isTruncated() throws Exception {
        Path other = folder.resolve("other.db");
        try (Connection direct = DriverManager.getConnection("jdbc:sqlite:" + other);
                Connection connection = open();
                Statement statement = connection.createStatement()) {
            execute(direct, "PRAGMA journal_mode=WAL", "CREATE TABLE o(x)");
            execute(connection, "ATTACH '" + other + "' AS o");
            for (String sql : new String[] {"PRAGMA o.wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint(TRUNCATE)"}) {
                execute(connection, "INSERT INTO o.o VALUES (1)");
                assertThat(other.resolveSibling("other.db-wal")).isNotEmptyFile();
                statement.executeQuery(sql).close();
                assertThat(other.resolveSibling("other.db-wal")).isEmptyFile();
            }
        }
    }
}
