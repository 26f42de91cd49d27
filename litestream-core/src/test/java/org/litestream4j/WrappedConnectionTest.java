package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteDataSource;

/** There is no way past the wait of a durable commit through what JDBC offers on a wrapped connection. */
class WrappedConnectionTest extends EngineFixture {

    private Litestream litestream;
    private ManagedDatabase database;
    private GatedReplicaProvider.Control gate;

    @BeforeEach
    void begin() throws Exception {
        create("CREATE TABLE t(id INTEGER PRIMARY KEY, x)", "INSERT INTO t(x) VALUES (0)");
        gate = GatedReplicaProvider.control(replica);
        litestream = litestream();
        database = litestream.register(DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .durability(Durability.REPLICATED)
                .durabilityTimeout(TIMEOUT)
                .syncInterval(Duration.ofMillis(10))
                .levels(List.of(NEVER)) // a merge would be one more upload
                .snapshotInterval(NEVER)
                .build());
        database.sync(TIMEOUT);
    }

    @AfterEach
    void end() {
        gate.open();
        litestream.close();
    }

    private Connection open(TransactionMode mode) throws SQLException {
        SQLiteDataSource source = SqliteFixture.dataSource(path);
        source.setTransactionMode(mode.getValue());
        return database.wrap(source).getConnection();
    }

    private interface Commit {
        void on(Connection connection) throws SQLException;
    }

    private static void batch(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.addBatch(sql);
            }
            statement.executeBatch();
        }
    }

    private static void script(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    /** Ways to commit something, each in one call that ends otherwise, or through another object. */
    private enum Way implements Commit {
        SCRIPT_WITH_ROLLBACK {
            @Override
            public void on(Connection connection) throws SQLException {
                script(connection, "INSERT INTO t(x) VALUES (1); BEGIN; INSERT INTO t(x) VALUES (2); ROLLBACK");
            }
        },
        BATCH_WITH_ROLLBACK {
            @Override
            public void on(Connection connection) throws SQLException {
                batch(connection, "INSERT INTO t(x) VALUES (1)", "BEGIN", "INSERT INTO t(x) VALUES (2)", "ROLLBACK");
            }
        },
        SCRIPT_THAT_FAILS {
            @Override
            public void on(Connection connection) {
                assertThatThrownBy(
                                () -> script(connection, "INSERT INTO t(x) VALUES (1); INSERT INTO nowhere VALUES (1)"))
                        .isInstanceOf(SQLException.class);
            }
        },
        BATCH_THAT_FAILS {
            @Override
            public void on(Connection connection) {
                assertThatThrownBy(
                                () -> batch(connection, "INSERT INTO t(x) VALUES (1)", "INSERT INTO t(id) VALUES (1)"))
                        .isInstanceOf(SQLException.class);
            }
        },
        TRANSACTION_LEFT_BY_SCRIPT {
            @Override
            public void on(Connection connection) throws SQLException {
                connection.setAutoCommit(false);
                script(
                        connection,
                        "INSERT INTO t(x) VALUES (1); COMMIT; BEGIN; INSERT INTO t(x) VALUES (2); ROLLBACK; BEGIN");
            }
        },
        CONNECTION_OF_METADATA {
            @Override
            public void on(Connection connection) throws SQLException {
                execute(connection.getMetaData().getConnection(), "INSERT INTO t(x) VALUES (1)");
            }
        },
        CONNECTION_OF_METADATA_RESULT {
            @Override
            public void on(Connection connection) throws SQLException {
                try (ResultSet tables = connection.getMetaData().getTables(null, null, "%", null)) {
                    execute(tables.getStatement().getConnection(), "INSERT INTO t(x) VALUES (1)");
                }
            }
        },
        CONNECTION_OF_RESULT_IN_TRANSACTION {
            @Override
            public void on(Connection connection) throws SQLException {
                connection.setAutoCommit(false);
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery("SELECT 1")) {
                    Connection same = row.getStatement().getConnection();
                    execute(same, "INSERT INTO t(x) VALUES (1)");
                    same.commit();
                }
            }
        },
        RESTORE_OF_DRIVER {
            @Override
            public void on(Connection connection) throws SQLException {
                Path other = Path.of(connection.getMetaData().getURL().substring("jdbc:sqlite:".length()))
                        .resolveSibling("other.db");
                try (Connection file = DriverManager.getConnection("jdbc:sqlite:" + other)) {
                    execute(file, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)", "INSERT INTO t(x) VALUES (1), (2)");
                }
                script(connection, "Restore from '" + other + "'");
            }
        },
        CLOSED_STATEMENT {
            @Override
            public void on(Connection connection) throws SQLException {
                try (PreparedStatement insert =
                        connection.prepareStatement("INSERT INTO t(x) VALUES (1), (2) RETURNING x")) {
                    insert.executeQuery().next();
                }
            }
        },
        CLOSED_CONNECTION {
            @Override
            public void on(Connection connection) throws SQLException {
                PreparedStatement insert = connection.prepareStatement("INSERT INTO t(x) VALUES (1), (2) RETURNING x");
                insert.executeQuery().next();
                connection.close();
            }
        },
        NESTED_ROWS {
            @Override
            public void on(Connection connection) throws SQLException {
                try (Statement insert = connection.createStatement()) {
                    assertThat(insert.execute("INSERT INTO t(x) VALUES (1), (2) RETURNING x"))
                            .isTrue();
                    assertThat(insert.getMoreResults()).isFalse();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void committed_returnsWhenItIsOnTheReplica(Way way) throws Exception {
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            assertWaits(connection, way);
        }
    }

    private void assertWaits(Connection connection, Commit way) throws Exception {
        int puts = gate.puts.get();
        Txid before = database.status().replicated();
        gate.shut();
        CompletableFuture<Txid> commit = CompletableFuture.supplyAsync(() -> {
            try {
                way.on(connection);
                return database.status().replicated();
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
        await().atMost(TIMEOUT).until(() -> gate.puts.get() > puts);
        assertThat(commit).isNotDone();
        gate.open();
        assertThat(commit.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS)).isGreaterThan(before);
    }

    /** To what it was, set back after another connection has changed it, or where it is counted nowhere. */
    @ParameterizedTest
    @CsvSource({"PRAGMA user_version = 1, 2", "PRAGMA application_id = 7, 1"})
    void whatChangesNoRow_waitsInAnImmediateTransaction(String sql, int byAnother) throws Exception {
        try (Connection connection = open(TransactionMode.IMMEDIATE);
                Connection other = plain()) {
            execute(connection, "PRAGMA user_version = 1");
            connection.setAutoCommit(false);
            query(connection, "SELECT count(*) FROM t");
            connection.commit();
            execute(other, "PRAGMA wal_autocheckpoint=0", "PRAGMA user_version = " + byAnother);
            database.sync(TIMEOUT);
            assertWaits(connection, wrapped -> {
                execute(wrapped, sql);
                wrapped.commit();
            });
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void savepointAsFirstActAfterADurableCommit_isKept(boolean rolledBack) throws Exception {
        try (Connection connection = open(TransactionMode.IMMEDIATE);
                Connection other = DriverManager.getConnection("jdbc:sqlite:" + path + "?busy_timeout=0")) {
            execute(other, "PRAGMA wal_autocheckpoint=0");
            connection.setAutoCommit(false);
            execute(connection, "INSERT INTO t(x) VALUES (1)");
            connection.commit();
            Savepoint savepoint = connection.setSavepoint();
            execute(connection, "INSERT INTO t(x) VALUES (2)");
            assertThatThrownBy(() -> execute(other, "INSERT INTO t(x) VALUES (3)"))
                    .isInstanceOf(SQLException.class);
            if (rolledBack) {
                connection.rollback(savepoint);
            } else {
                connection.releaseSavepoint(savepoint);
            }
            connection.commit();
            assertThat(query(other, "SELECT count(*) FROM t")).isEqualTo(rolledBack ? 2 : 3);
        }
    }

    @Test
    void rollbackAfterADurableCommit_leavesTheWriteLockToOthers() throws Exception {
        try (Connection connection = open(TransactionMode.IMMEDIATE);
                Connection other = DriverManager.getConnection("jdbc:sqlite:" + path + "?busy_timeout=0")) {
            execute(other, "PRAGMA wal_autocheckpoint=0");
            connection.setAutoCommit(false);
            execute(connection, "INSERT INTO t(x) VALUES (1)");
            connection.commit();
            connection.rollback(); // as a pool does before it keeps a connection for the next who asks
            execute(other, "INSERT INTO t(x) VALUES (2)");
            execute(connection, "INSERT INTO t(x) VALUES (3)");
            connection.commit();
            assertThat(query(other, "SELECT count(*) FROM t")).isEqualTo(4);
        }
    }

    /** Calls whatever returns something of JDBC's, and what that returns, and so on. */
    @Test
    void everyObjectOfJdbc_leadsBackToTheWrappedConnection() throws Exception {
        List<String> seen = new ArrayList<>();
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            for (boolean autoCommit : new boolean[] {true, false}) {
                connection.setAutoCommit(autoCommit);
                follow(connection, Connection.class, connection, 0, seen, "connection");
            }
        }
        assertThat(seen)
                .as("seen")
                .contains(
                        "connection.getMetaData.getConnection",
                        "connection.getMetaData.getTables.getStatement.getConnection",
                        "connection.prepareStatement.executeQuery.getStatement",
                        "connection.prepareStatement.getParameterMetaData",
                        "connection.createStatement.executeQuery.getMetaData",
                        "connection.createStatement.getGeneratedKeys.getStatement.getConnection");
    }

    private static void follow(
            Object object, Class<?> type, Connection connection, int depth, List<String> seen, String way)
            throws Exception {
        if (type == Connection.class) {
            assertThat(object).as(way).isSameAs(connection);
        }
        assertThat(Proxy.isProxyClass(object.getClass()) || !way.contains(".") || !isOfInterest(type))
                .as(way + " is " + object.getClass())
                .isTrue();
        if (depth == 4 || (depth > 0 && type == Connection.class)) {
            return;
        }
        Method[] methods = type.getMethods();
        Arrays.sort(methods, Comparator.comparing(Method::toGenericString));
        for (Method method : methods) {
            if (!method.getReturnType().getName().startsWith("java.sql.")
                    || !isOfInterest(method.getReturnType())
                    || method.getName().equals("unwrap")) {
                continue;
            }
            Object returned;
            try {
                returned = method.invoke(object, arguments(method));
            } catch (java.lang.reflect.InvocationTargetException e) {
                continue; // not supported
            }
            if (returned != null) {
                String next = way + "." + method.getName();
                seen.add(next);
                follow(returned, method.getReturnType(), connection, depth + 1, seen, next);
                if (returned instanceof Statement statement) {
                    statement.close();
                }
            }
        }
    }

    private static boolean isOfInterest(Class<?> type) {
        return type.isInterface()
                && type.getName().startsWith("java.sql.")
                && type != Savepoint.class
                && type != java.sql.Blob.class
                && type != java.sql.Clob.class
                && type != java.sql.RowIdLifetime.class;
    }

    private static Object[] arguments(Method method) {
        return Arrays.stream(method.getParameterTypes())
                .map(parameter -> {
                    if (parameter == int.class) {
                        return method.getName().contains("tatement") && method.getParameterCount() > 1
                                ? (Object) ResultSet.TYPE_FORWARD_ONLY
                                : (Object) 1;
                    } else if (parameter == boolean.class) {
                        return false;
                    } else if (parameter == String.class) {
                        return method.getName().startsWith("prepare")
                                        || method.getName().startsWith("execute")
                                ? "SELECT 1"
                                : "%";
                    }
                    return null;
                })
                .toArray();
    }
}
