package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Path;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.testing.EngineFixture;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteDataSource;

/**
 * A wrapped {@code DataSource} answers as the driver does: the same random calls on two connections of each, in turn, with the
 * same results and exceptions. More of them: {@code -Dlitestream4j.jdbcSteps=100000}, the same again: {@code
 * -Dlitestream4j.jdbcSeed=SEED}.
 */
class JdbcDifferentialTest extends EngineFixture {

    private static final int STEPS = Integer.getInteger("litestream4j.jdbcSteps", 1_000);
    private static final Long SEED = Long.getLong("litestream4j.jdbcSeed");

    private static final String[] SQL = {
        "INSERT INTO t(x) VALUES (%d)",
        "INSERT INTO t(x) VALUES (%d)",
        "INSERT OR IGNORE INTO t(x) VALUES (%d)",
        "INSERT OR ROLLBACK INTO t(x) VALUES (%d)",
        "REPLACE INTO t(x) VALUES (%d)",
        "UPDATE t SET x = x + 100 WHERE x = %d",
        "UPDATE t SET x = %d RETURNING x, id",
        "DELETE FROM t WHERE x = %d",
        "INSERT INTO t(x) VALUES (%d) RETURNING id",
        "INSERT INTO t(x) VALUES (%1$d), (%1$d + 1000) RETURNING id, x",
        "INSERT INTO t(x) VALUES (-%d)",
        "INSERT INTO child(x) VALUES (%d)",
        "DELETE FROM child",
        "WITH n(x) AS (SELECT %d) INSERT INTO t(x) SELECT x FROM n",
        "WITH n(x) AS (SELECT %d) SELECT replace(x, 1, 2), 'update' FROM n",
        "SELECT count(*), max(x) FROM t WHERE x > %d",
        "SELECT x FROM t ORDER BY x",
        "SELECT x FROM t WHERE x = %d",
        "SELECT 1",
        "VALUES (%d), (2)",
        "EXPLAIN DELETE FROM t WHERE x = %d",
        "BEGIN",
        "BEGIN IMMEDIATE",
        "BEGIN; INSERT INTO t(x) VALUES (%d); COMMIT",
        "INSERT INTO t(x) VALUES (%1$d + 7); INSERT INTO t(x) VALUES (%1$d + 8)",
        "COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT s",
        "ROLLBACK TO s",
        "RELEASE s",
        "CREATE TABLE IF NOT EXISTS u(x)",
        "CREATE TEMP TABLE IF NOT EXISTS v(x)",
        "INSERT INTO v VALUES (%d)",
        "DROP TABLE IF EXISTS u",
        "PRAGMA user_version = %d",
        "PRAGMA user_version",
        "PRAGMA query_only = 0",
        "INSERT INTO nowhere VALUES (%d)",
        "SELEC",
        "",
        "-- nothing",
        "; INSERT INTO t(x) VALUES (%d)",
        "INSERT INTO t(x) VALUES (%1$d + 60); BEGIN; INSERT INTO t(x) VALUES (%1$d + 70); ROLLBACK",
        "BEGIN; DELETE FROM t WHERE x = %d; COMMIT; BEGIN; INSERT INTO nowhere VALUES (1)",
        "COMMIT; BEGIN; INSERT INTO t(x) VALUES (%d + 80); ROLLBACK; BEGIN",
        "SAVEPOINT q; INSERT INTO t(x) VALUES (%d + 90); RELEASE q",
        "SAVEPOINT q; INSERT INTO t(x) VALUES (%d); ROLLBACK TO q; RELEASE q; SELECT 1",
        "ATTACH 'FOLDER/ATTACHED' AS a",
        "ATTACH 'FOLDER/ATTACHED' AS a; INSERT INTO a.o VALUES (%d)",
        "INSERT INTO a.o VALUES (%d)",
        "INSERT INTO o VALUES (%d) RETURNING x",
        "DETACH a",
        "INSERT INTO a.o VALUES (%d); DETACH a",
        "PRAGMA wal_checkpoint",
        "PRAGMA wal_checkpoint(FULL)",
        "PRAGMA main.wal_checkpoint(RESTART);",
        "PRAGMA a.wal_checkpoint(TRUNCATE)",
        "INSERT INTO t(x) VALUES (%d); PRAGMA wal_checkpoint = truncate",
        "PRAGMA application_id = %d",
    };

    /** Two connections of a DataSource, and what is open on them; writes down all that is seen. */
    private static final class Side implements AutoCloseable {

        private final DataSource source;
        private final Path attached;
        private final List<Client> clients = new ArrayList<>();
        private final List<String> seen = new ArrayList<>();

        Side(DataSource source, Path attached) throws SQLException {
            this.source = source;
            this.attached = attached;
            for (int i = 0; i < 2; i++) {
                clients.add(new Client(source.getConnection(), attached));
            }
        }

        private String step(Random random) throws SQLException {
            int number = random.nextInt(clients.size());
            Client client = clients.get(number);
            String call;
            try {
                call = number + ": " + client.step(random);
            } catch (BatchUpdateException e) {
                call = number + ": " + client.called + " ! " + shown(e) + Arrays.toString(e.getUpdateCounts());
            } catch (SQLException | RuntimeException e) {
                call = number + ": " + client.called + " ! " + shown(e);
            }
            if (random.nextInt(60) == 0) {
                call += client.close();
                clients.set(number, new Client(source.getConnection(), attached));
            }
            seen.add(call);
            return call;
        }

        @Override
        public void close() throws SQLException {
            for (Client client : clients) {
                seen.add(client.close());
            }
        }
    }

    private static final class Client {

        private final Connection connection;
        private final Path attached;
        private final Deque<Savepoint> savepoints = new ArrayDeque<>();
        private final List<ResultSet> results = new ArrayList<>();
        private Statement statement;
        private PreparedStatement prepared;
        private String called = "";

        Client(Connection connection, Path attached) throws SQLException {
            this.connection = connection;
            this.attached = attached;
            this.statement = connection.createStatement();
            this.prepared = connection.prepareStatement("INSERT INTO t(x) VALUES (?)");
        }

        private static String sql(Random random) {
            return SQL[random.nextInt(SQL.length)].formatted(random.nextInt(40));
        }

        /** The same on both sides but for the name of the file. */
        private String run(String sql) {
            return sql.replace("FOLDER/ATTACHED", attached.toString());
        }

        private String step(Random random) throws SQLException {
            int what = random.nextInt(32);
            int number = random.nextInt(40);
            String sql = sql(random);
            called = what + " " + sql;
            Object answer =
                    switch (what) {
                        case 0, 1, 2, 3 -> statement.execute(run(sql));
                        case 4, 5, 6 -> statement.executeUpdate(run(sql));
                        case 7, 8, 9 -> rows(statement.executeQuery(run(sql)), random);
                        case 10 -> opened(statement.getResultSet(), random);
                        case 11 -> statement.getUpdateCount() + " " + statement.getMoreResults();
                        case 12 -> rows(statement.getGeneratedKeys(), random);
                        case 13 -> {
                            prepared.setInt(1, number);
                            yield prepared.executeUpdate();
                        }
                        case 14 -> {
                            prepared.close();
                            prepared = connection.prepareStatement(run(sql));
                            yield prepared.getParameterMetaData().getParameterCount();
                        }
                        case 15 -> prepared.execute();
                        case 16 -> opened(prepared.executeQuery(), random);
                        case 17 -> {
                            prepared.setInt(1, number);
                            prepared.addBatch();
                            prepared.setInt(1, number + 50);
                            prepared.addBatch();
                            yield Arrays.toString(prepared.executeBatch());
                        }
                        case 18 -> {
                            statement.addBatch(run(sql));
                            statement.addBatch("INSERT INTO t(x) VALUES (" + number + ")");
                            yield Arrays.toString(statement.executeBatch());
                        }
                        case 19, 20 -> {
                            connection.setAutoCommit(false);
                            yield "";
                        }
                        case 21, 22 -> {
                            connection.setAutoCommit(true);
                            yield "";
                        }
                        case 23, 24 -> {
                            connection.commit();
                            yield "";
                        }
                        case 25 -> {
                            connection.rollback();
                            yield "";
                        }
                        case 26 -> {
                            savepoints.push(connection.setSavepoint());
                            yield savepoints.size();
                        }
                        case 27 -> {
                            if (!savepoints.isEmpty()) {
                                connection.rollback(savepoints.peek());
                            }
                            yield "";
                        }
                        case 28 -> {
                            if (!savepoints.isEmpty()) {
                                connection.releaseSavepoint(savepoints.pop());
                            }
                            yield "";
                        }
                        case 29 -> {
                            statement.close();
                            statement = connection.createStatement();
                            yield "";
                        }
                        case 30 -> {
                            String read = "";
                            for (ResultSet result : results) {
                                read += rows(result, random);
                            }
                            results.clear();
                            yield read;
                        }
                        default -> odd(number);
                    };
            return called + " -> " + answer + " " + connection.getAutoCommit();
        }

        /** The driver throws once for each statement that failed last, and goes on when asked again. */
        private String close() {
            String tries = "";
            while (tries.length() < 10_000) {
                try {
                    connection.close();
                    return tries + " then closed";
                } catch (SQLException e) {
                    tries += " " + shown(e);
                }
            }
            return tries;
        }

        private Object odd(int number) throws SQLException {
            switch (number % 8) {
                case 0:
                    statement.close();
                    return statement.isClosed() + " " + statement.execute("SELECT 1");
                case 1:
                    return connection.prepareCall("SELECT 1");
                case 2:
                    connection.setReadOnly(number > 20);
                    return connection.isReadOnly();
                case 3:
                    connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                    return connection.getTransactionIsolation();
                case 4:
                    return statement.getConnection() == connection;
                case 5:
                    prepared.close();
                    return prepared.executeUpdate();
                case 6:
                    statement.cancel();
                    return statement.getWarnings();
                default:
                    return connection.isValid(1);
            }
        }

        /** Reads it later, or never. */
        private Object opened(ResultSet result, Random random) throws SQLException {
            if (result == null || random.nextBoolean()) {
                return result == null ? "none" : rows(result, random);
            }
            results.add(result);
            if (isCheckpoint(result)) {
                return result.next();
            }
            return result.next() ? result.getString(1) : "empty";
        }

        /** How far one came depends on the reader of the engine. */
        private static boolean isCheckpoint(ResultSet result) throws SQLException {
            return result.getMetaData().getColumnCount() == 3
                    && result.getMetaData().getColumnName(1).equals("busy");
        }

        private static String rows(ResultSet result, Random random) throws SQLException {
            StringBuilder text = new StringBuilder();
            int most = random.nextInt(10);
            boolean checkpoint = isCheckpoint(result);
            while (most-- > 0 && result.next()) {
                for (int column = 1; column <= result.getMetaData().getColumnCount(); column++) {
                    text.append(checkpoint ? "" : result.getString(column)).append(',');
                }
                text.append(';');
            }
            if (random.nextInt(4) > 0) {
                result.close();
            }
            return text.toString();
        }
    }

    private static String shown(Exception e) {
        return e instanceof SQLException sql
                ? e.getClass().getName() + " " + e.getMessage() + " " + sql.getErrorCode() + " " + sql.getSQLState()
                : e.getClass().getName(); // the JVM leaves its messages out when it has thrown many
    }

    private static SQLiteDataSource source(Path path, TransactionMode mode) {
        SQLiteConfig config = new SQLiteConfig();
        config.setTransactionMode(mode);
        config.setBusyTimeout(1); // the two take turns in one thread
        config.enforceForeignKeys(true);
        SQLiteDataSource source = new SQLiteDataSource(config);
        source.setUrl("jdbc:sqlite:" + path);
        return source;
    }

    private static List<String> content(DataSource source) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : List.of("SELECT id, x FROM t", "SELECT x, x FROM child", "PRAGMA user_version")) {
                try (ResultSet row = statement.executeQuery(sql)) {
                    while (row.next()) {
                        rows.add(row.getString(1) + " "
                                + row.getString(row.getMetaData().getColumnCount()));
                    }
                }
            }
        }
        return rows;
    }

    private Path attached(String name) throws SQLException {
        Path file = folder.resolve(name);
        try (Connection connection = source(file, TransactionMode.DEFERRED).getConnection()) {
            execute(connection, "PRAGMA journal_mode=WAL", "CREATE TABLE o(x)");
        }
        return file;
    }

    private static void prepare(DataSource source) throws SQLException {
        try (Connection connection = source.getConnection()) {
            execute(
                    connection,
                    "PRAGMA journal_mode=WAL",
                    "CREATE TABLE t(id INTEGER PRIMARY KEY, x UNIQUE)",
                    "CREATE TABLE child(x REFERENCES t(x) DEFERRABLE INITIALLY DEFERRED)",
                    "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.x < -20 BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
        }
    }

    @ParameterizedTest
    @EnumSource(TransactionMode.class)
    void randomCalls_areAnsweredAsByTheDriver(TransactionMode mode) throws Exception {
        randomCalls_areAnsweredAsByTheDriver(mode, Durability.ASYNC);
    }

    /** A durable commit of another mode leaves the write lock to others while it waits, which the driver does not. */
    @Test
    void randomCalls_areAnsweredAsByTheDriver_whereCommitsWait() throws Exception {
        randomCalls_areAnsweredAsByTheDriver(TransactionMode.DEFERRED, Durability.REPLICATED);
    }

    private void randomCalls_areAnsweredAsByTheDriver(TransactionMode mode, Durability durability) throws Exception {
        long seed = SEED != null ? SEED : new Random().nextLong();
        SQLiteDataSource plain = source(folder.resolve("plain.db"), mode);
        SQLiteDataSource physical = source(path, mode);
        prepare(plain);
        prepare(physical);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(DatabaseConfig.builder(
                            path,
                            org.litestream4j.replica.ReplicaLocation.of(
                                    replica.toUri().toString()))
                    .durability(durability)
                    .build()); // not the fixture's: its rounds take the write lock at moments of their own
            database.sync(TIMEOUT);
            DataSource wrapped = database.wrap(physical);
            Random first = new Random(seed);
            Random second = new Random(seed);
            try (Side expected = new Side(plain, attached("plain-attached.db"));
                    Side actual = new Side(wrapped, attached("attached.db"))) {
                for (int i = 0; i < STEPS; i++) {
                    assertThat(actual.step(second))
                            .as(() -> mode + ", seed " + seed + ", after " + last(expected.seen))
                            .isEqualTo(expected.step(first));
                }
            }
            assertThat(content(wrapped)).as(mode + ", seed " + seed).isEqualTo(content(plain));
        }
    }

    private static String last(List<String> seen) {
        return String.join("\n", seen.subList(Math.max(0, seen.size() - 30), seen.size()));
    }
}
