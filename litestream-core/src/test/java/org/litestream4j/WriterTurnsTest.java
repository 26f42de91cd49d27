package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.SqliteFixture.execute;
import static org.litestream4j.SqliteFixture.query;

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
        create("CREATE TABLE t(x)");
        litestream = litestream();
        database = litestream.register(config().build());
        database.sync(TIMEOUT); // a start needs the write lock for a moment, too
    }

    @AfterEach
    void end() {
        litestream.close();
    }

    private long waited() {
        return database.writeQueue().waited();
    }

    private Connection open(String mode, int busyTimeoutMillis) throws SQLException {
        SQLiteDataSource source = SqliteFixture.dataSource(path);
        source.getConfig().setTransactionMode(mode);
        source.getConfig().setBusyTimeout(busyTimeoutMillis);
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
                of("by statement", c -> execute(c, "BEGIN IMMEDIATE")));
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
