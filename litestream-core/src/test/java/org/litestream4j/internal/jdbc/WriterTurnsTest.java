package org.litestream4j.internal.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** When a connection waits for another one's transaction before it asks SQLite for the write lock. */
class WriterTurnsTest extends EngineFixture {

    private Litestream litestream;
    private ManagedDatabase database;

    private interface Work {
        void with(Connection connection) throws SQLException;
    }

    @BeforeEach
    void begin() throws Exception {
        create(
                "CREATE TABLE t(x)",
                "CREATE TABLE parent(x PRIMARY KEY)",
                "CREATE TABLE child(x REFERENCES parent(x) DEFERRABLE INITIALLY DEFERRED)");
        litestream = litestream();
        database = litestream.register(config().build());
        database.sync(TIMEOUT); // a start needs the write lock for a moment, too
    }

    @AfterEach
    void end() {
        litestream.close();
    }

    private long waited() {
        return queue().waited();
    }

    private WriteQueue queue() {
        return RegisteredDatabases.find(database.config().path()).writeQueue();
    }

    private Connection open(String mode, int busyTimeoutMillis) throws SQLException {
        SQLiteDataSource source = SqliteFixture.dataSource(path);
        source.getConfig().setTransactionMode(mode);
        source.getConfig().setBusyTimeout(busyTimeoutMillis);
        source.getConfig().enforceForeignKeys(true);
        return database.wrap(source).getConnection();
    }

    static Stream<Arguments> transactions() {
        return Stream.of(
                of("statement", c -> execute(c, "INSERT INTO t VALUES (1)")),
                of("prepared", c -> update(c, "INSERT INTO t VALUES (1)")),
                of("batch", c -> {
                    try (PreparedStatement insert = c.prepareStatement("INSERT INTO t VALUES (?)")) {
                        insert.setInt(1, 1);
                        insert.addBatch();
                        insert.executeBatch();
                    }
                }),
                of("batch of statements", c -> {
                    try (Statement insert = c.createStatement()) {
                        insert.addBatch("INSERT INTO t VALUES (1)");
                        insert.executeBatch();
                    }
                }),
                of("rows returned", c -> query(c, "INSERT INTO t VALUES (1) RETURNING x")),
                of("with", c -> update(c, "WITH n(x) AS (SELECT 1) INSERT INTO t SELECT x FROM n")),
                of("commit", c -> {
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (1)");
                    c.commit();
                }),
                of("auto-commit again", c -> {
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (1)");
                    c.setAutoCommit(true);
                }),
                of("by statements", c -> execute(c, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "COMMIT")),
                of("by one script", c -> script(c, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1); COMMIT")),
                of("by a savepoint", c -> execute(c, "SAVEPOINT s", "INSERT INTO t VALUES (1)", "RELEASE s")),
                of("by a savepoint of JDBC", c -> {
                    Savepoint savepoint = c.setSavepoint();
                    update(c, "INSERT INTO t VALUES (1)");
                    c.releaseSavepoint(savepoint);
                }),
                of("by statement within JDBC's", c -> {
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (1)");
                    execute(c, "COMMIT");
                }),
                of("not begun by statement", c -> {
                    assertThatThrownBy(() -> execute(c, "BEGIN nothing")).isInstanceOf(SQLException.class);
                    update(c, "INSERT INTO t VALUES (1)");
                }),
                of("ended by a conflict", c -> {
                    execute(c, "INSERT INTO t VALUES (1)", "CREATE UNIQUE INDEX i ON t(x)");
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (2)");
                    assertThatThrownBy(() -> update(c, "INSERT OR ROLLBACK INTO t VALUES (1)"))
                            .isInstanceOf(SQLException.class);
                }),
                of("ended by a trigger", c -> {
                    execute(
                            c,
                            "INSERT INTO t VALUES (1)",
                            "CREATE TRIGGER r BEFORE INSERT ON t WHEN new.x = 2 BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (3)");
                    assertThatThrownBy(() -> update(c, "INSERT INTO t VALUES (2)"))
                            .isInstanceOf(SQLException.class);
                }),
                of("by statements, deferred", c -> execute(c, "BEGIN", "INSERT INTO t VALUES (1)", "END")),
                of("rolled back to a savepoint", c -> {
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (1)");
                    Savepoint savepoint = c.setSavepoint();
                    update(c, "INSERT INTO t VALUES (2)");
                    c.rollback(savepoint);
                    c.commit();
                }));
    }

    private static Arguments of(String name, Work work) {
        return Arguments.argumentSet(name, work);
    }

    private static void script(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    /** Writes what cannot be committed. */
    private static void unsound(Connection connection, String... before) throws SQLException {
        execute(connection, before);
        execute(connection, "INSERT INTO child VALUES (1)");
    }

    private static void update(Connection connection, String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.executeUpdate();
        }
    }

    /** In a thread of its own. */
    private static FutureTask<Void> start(Connection connection, Work work) {
        FutureTask<Void> task = new FutureTask<>(() -> {
            work.with(connection);
            return null;
        });
        new Thread(task).start();
        return task;
    }

    @ParameterizedTest
    @MethodSource("transactions")
    void written_letsTheNextWriteAtOnce(Work work) throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 10_000)) {
            work.with(first);
            update(second, "INSERT INTO t VALUES (9)");
            assertThat(waited()).isZero();
            assertThat(query(second, "SELECT count(*) FROM t")).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @MethodSource("transactions")
    void writing_waitsForATransactionThatWrites(Work work) throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 10_000)) {
            first.setAutoCommit(false);
            update(first, "INSERT INTO t VALUES (0)");
            FutureTask<Void> waiting = start(second, work);
            await().until(() -> waited() == 1);
            assertThat(waiting.isDone()).isFalse();
            first.commit();
            waiting.get();
            assertThat(query(first, "SELECT count(*) FROM t")).isEqualTo(2);
        }
    }

    static Stream<Arguments> open() {
        return Stream.of(
                of("written", c -> {
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (1)");
                }),
                of("rolled back to a savepoint", c -> {
                    c.setAutoCommit(false);
                    update(c, "INSERT INTO t VALUES (1)");
                    Savepoint savepoint = c.setSavepoint();
                    update(c, "INSERT INTO t VALUES (2)");
                    c.rollback(savepoint);
                }),
                of("by a savepoint", c -> execute(c, "SAVEPOINT s", "INSERT INTO t VALUES (1)")),
                of("not committed by statement", c -> {
                    unsound(c, "BEGIN");
                    assertThatThrownBy(() -> execute(c, "COMMIT")).isInstanceOf(SQLException.class);
                }),
                of("not committed", c -> {
                    c.setAutoCommit(false);
                    unsound(c);
                    assertThatThrownBy(c::commit).isInstanceOf(SQLException.class);
                }),
                of("not committed by auto-commit", c -> {
                    c.setAutoCommit(false);
                    unsound(c);
                    assertThatThrownBy(() -> c.setAutoCommit(true)).isInstanceOf(SQLException.class);
                }),
                of("not begun again", c -> {
                    execute(c, "BEGIN IMMEDIATE");
                    assertThatThrownBy(() -> execute(c, "BEGIN")).isInstanceOf(SQLException.class);
                    c.setAutoCommit(true);
                }),
                of("by statement", c -> execute(c, "BEGIN IMMEDIATE")));
    }

    @ParameterizedTest
    @MethodSource("open")
    void writingOn_doesNotWaitForThoseWhoWait(Work work) throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 10_000)) {
            work.with(first);
            FutureTask<Void> waiting = start(second, c -> update(c, "INSERT INTO t VALUES (9)"));
            await().until(() -> waited() == 1);
            update(first, "INSERT INTO t VALUES (2)");
            update(first, "INSERT INTO t VALUES (3)");
            assertThat(waited()).isEqualTo(1);
            execute(first, "ROLLBACK");
            waiting.get();
            assertThat(query(second, "SELECT count(*) FROM t")).isEqualTo(1);
        }
    }

    /** To wait would outdate the rows, and SQLite refuse to write. */
    @Test
    void writingWhileRowsAreOpen_doesNotWait() throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 10_000)) {
            execute(first, "INSERT INTO t VALUES (5), (6)");
            try (Statement statement = first.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT * FROM t")) {
                assertThat(rows.next()).isTrue();
                queue().await(second, 1); // its turn, but it does not write
                update(first, "INSERT INTO t VALUES (7)");
                assertThat(waited()).isZero();
            }
            queue().end(second);
            queue().await(second, 1);
            FutureTask<Void> waiting = start(first, c -> update(c, "INSERT INTO t VALUES (9)"));
            await().until(() -> waited() == 1);
            queue().end(second);
            waiting.get();
        }
    }

    /** Against the rules, but the driver stands it. */
    @Test
    void connectionOfTwoThreads_endsItsTurn() throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 10_000)) {
            queue().await(second, 1);
            FutureTask<Void> waiting = start(first, c -> update(c, "INSERT INTO t VALUES (1)"));
            await().until(() -> waited() == 1);
            update(first, "INSERT INTO t VALUES (2)");
            queue().end(second);
            waiting.get();
            update(second, "INSERT INTO t VALUES (3)");
            assertThat(waited()).isEqualTo(1);
        }
    }

    @Test
    void beginningFails_endsTheTurn() throws Exception {
        try (Connection first = open("IMMEDIATE", 50);
                Connection second = open("DEFERRED", 10_000);
                Connection foreign = plain()) {
            execute(foreign, "BEGIN IMMEDIATE");
            assertThatThrownBy(() -> execute(first, "BEGIN IMMEDIATE")).hasMessageContaining("SQLITE_BUSY");
            assertThatThrownBy(() -> first.setAutoCommit(false)).hasMessageContaining("SQLITE_BUSY");
            execute(foreign, "ROLLBACK");
            update(second, "INSERT INTO t VALUES (1)");
            assertThat(waited()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("open")
    void closed_endsTheTurn(Work work) throws Exception {
        try (Connection second = open("DEFERRED", 10_000)) {
            Connection first = open("DEFERRED", 10_000);
            work.with(first);
            FutureTask<Void> waiting = start(second, c -> update(c, "INSERT INTO t VALUES (9)"));
            await().until(() -> waited() == 1);
            assertThat(waiting.isDone()).isFalse();
            first.close();
            waiting.get();
            assertThat(query(second, "SELECT count(*) FROM t")).isEqualTo(1);
        }
    }

    @Test
    void immediate_waitsWhereTheTransactionBegins_andHoldsTheTurnUntilAutoCommit() throws Exception {
        try (Connection first = open("IMMEDIATE", 10_000);
                Connection second = open("IMMEDIATE", 10_000)) {
            first.setAutoCommit(false);
            first.commit(); // the driver begins the next one at once
            FutureTask<Void> waiting = start(second, c -> {
                c.setAutoCommit(false);
                query(c, "SELECT count(*) FROM t");
                update(c, "INSERT INTO t VALUES (2)");
                c.setAutoCommit(true);
            });
            await().until(() -> waited() == 1);
            assertThat(waiting.isDone()).isFalse();
            update(first, "INSERT INTO t VALUES (1)");
            first.setAutoCommit(true);
            waiting.get();
            assertThat(query(first, "SELECT count(*) FROM t")).isEqualTo(2);
            update(first, "INSERT INTO t VALUES (3)");
            assertThat(waited()).isEqualTo(1);
        }
    }

    @Test
    void readThenWrite_doesNotWait_becauseItWouldBeOutOfDate() throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 10_000)) {
            first.setAutoCommit(false);
            update(first, "INSERT INTO t VALUES (1)");
            second.setAutoCommit(false);
            query(second, "SELECT count(*) FROM t");
            assertThatThrownBy(() -> update(second, "INSERT INTO t VALUES (2)"))
                    .isInstanceOfSatisfying(SQLiteException.class, e -> assertThat(e.getResultCode())
                            .isEqualTo(SQLiteErrorCode.SQLITE_BUSY));
            assertThat(waited()).isZero();
            second.rollback();
            FutureTask<Void> waiting = start(second, c -> {
                update(c, "INSERT INTO t VALUES (2)");
                c.commit();
            });
            await().until(() -> waited() == 1);
            first.commit();
            waiting.get();
            second.setAutoCommit(true);
            assertThat(query(second, "SELECT count(*) FROM t")).isEqualTo(2);
        }
    }

    @Test
    void withoutABusyTimeout_failsAtOnce() throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 0)) {
            first.setAutoCommit(false);
            update(first, "INSERT INTO t VALUES (1)");
            assertThatThrownBy(() -> update(second, "INSERT INTO t VALUES (2)"))
                    .isInstanceOf(SQLiteException.class)
                    .hasMessageContaining("SQLITE_BUSY");
            assertThat(waited()).isZero();
            first.rollback();
            update(second, "INSERT INTO t VALUES (3)");
            assertThat(query(second, "SELECT x FROM t")).isEqualTo(3);
        }
    }

    @Test
    void longTransaction_isWaitedForAsSqliteDoes() throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 300);
                Connection third = open("DEFERRED", 10_000)) {
            first.setAutoCommit(false);
            update(first, "INSERT INTO t VALUES (1)");
            assertThatThrownBy(() -> update(second, "INSERT INTO t VALUES (2)"))
                    .isInstanceOf(SQLiteException.class)
                    .hasMessageContaining("SQLITE_BUSY");
            FutureTask<Void> waiting = start(third, c -> update(c, "INSERT INTO t VALUES (3)"));
            first.commit();
            waiting.get();
            first.setAutoCommit(true);
            assertThat(query(first, "SELECT group_concat(x) = '1,3' FROM t")).isEqualTo(1);
        }
    }

    @Test
    void failedStatement_endsTheTurn() throws Exception {
        try (Connection first = open("DEFERRED", 10_000);
                Connection second = open("DEFERRED", 10_000)) {
            execute(first, "CREATE UNIQUE INDEX i ON t(x)", "INSERT INTO t VALUES (1)");
            assertThatThrownBy(() -> update(first, "INSERT INTO t VALUES (1)")).isInstanceOf(SQLException.class);
            update(second, "INSERT INTO t VALUES (2)");
            assertThat(waited()).isZero();
        }
    }

    @Test
    void statement_leadsBackToItsConnection_andToTheDriver() throws Exception {
        try (Connection connection = open("DEFERRED", 10_000);
                PreparedStatement select = connection.prepareStatement("SELECT 1");
                ResultSet row = select.executeQuery()) {
            assertThat(select.getConnection()).isSameAs(connection);
            assertThat(select.isWrapperFor(PreparedStatement.class)).isTrue();
            assertThat(row.getInt(1)).isEqualTo(1);
        }
    }
}
