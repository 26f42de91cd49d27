package org.litestream4j.drill;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.NativeLibrary;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.ltx.Txid;
import org.sqlite.JDBC;
import org.sqlite.SQLiteConfig;

/**
 * The last reports of drills, in an SQLite file that several databases and processes may share. Thread-safe: each call
 * uses a connection of its own.
 */
public final class DrillHistory {

    /** Number of reports that are kept for each database. */
    public static final int MAX_REPORTS = 30;

    private static final int BUSY_MILLIS = 5_000;

    private static final List<String> SCHEMA = List.of(
            "CREATE TABLE IF NOT EXISTS drill (id INTEGER PRIMARY KEY, database TEXT NOT NULL, replica TEXT NOT NULL,"
                    + " outcome TEXT NOT NULL, started_at INTEGER NOT NULL, elapsed INTEGER NOT NULL, replicated TEXT,"
                    + " problem TEXT, bytes_received INTEGER NOT NULL, cost_micros INTEGER NOT NULL)",
            "CREATE TABLE IF NOT EXISTS state (drill INTEGER NOT NULL REFERENCES drill ON DELETE CASCADE,"
                    + " newest INTEGER NOT NULL, target TEXT NOT NULL, txid TEXT NOT NULL, timestamp INTEGER NOT NULL,"
                    + " bytes INTEGER NOT NULL, files INTEGER NOT NULL, bytes_read INTEGER NOT NULL,"
                    + " checksum_compared INTEGER NOT NULL, recovery INTEGER NOT NULL, PRIMARY KEY (drill, newest))",
            "CREATE TABLE IF NOT EXISTS finding (id INTEGER PRIMARY KEY, drill INTEGER NOT NULL REFERENCES drill ON"
                    + " DELETE CASCADE, kind TEXT NOT NULL, text TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS request (drill INTEGER NOT NULL REFERENCES drill ON DELETE CASCADE,"
                    + " operation TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (drill, operation))");

    private final Path file;

    /** @param file the SQLite file; created when the first report is added */
    public DrillHistory(Path file) {
        this.file = file;
    }

    /**
     * Returns the reports of a database, newest first; empty if the file does not exist.
     *
     * @throws IOException if the file cannot be read
     */
    public List<DrillReport> reports(String database) throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        try (Connection connection = open();
                PreparedStatement select = connection.prepareStatement(
                        "SELECT * FROM drill WHERE database = ? ORDER BY started_at DESC, id DESC LIMIT ?")) {
            select.setString(1, database);
            select.setInt(2, MAX_REPORTS);
            List<DrillReport> reports = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    reports.add(report(connection, row));
                }
            }
            return reports;
        } catch (SQLException | IllegalArgumentException e) {
            throw new IOException("the history of drills cannot be read: " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Adds a report, and deletes the oldest reports of its database beyond {@link #MAX_REPORTS}.
     *
     * @throws IOException if the file cannot be written
     */
    public void add(DrillReport report) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            PrivateFiles.createDirectories(folder);
        }
        if (!Files.exists(file)) {
            try {
                PrivateFiles.createFile(file);
            } catch (FileAlreadyExistsException e) {
                // created by another process
            }
        }
        try (Connection connection = open()) {
            connection.setAutoCommit(false);
            insert(connection, report);
            try (PreparedStatement delete = connection.prepareStatement(
                    "DELETE FROM drill WHERE database = ?1 AND id NOT IN (SELECT id FROM drill WHERE database = ?1"
                            + " ORDER BY started_at DESC, id DESC LIMIT ?2)")) {
                delete.setString(1, report.database());
                delete.setInt(2, MAX_REPORTS);
                delete.executeUpdate();
            }
            connection.commit();
        } catch (SQLException e) {
            throw new IOException("the history of drills cannot be written: " + file + ": " + e.getMessage(), e);
        }
    }

    private Connection open() throws IOException, SQLException {
        NativeLibrary.require();
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(BUSY_MILLIS);
        config.enforceForeignKeys(true);
        config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
        Connection connection = JDBC.createConnection(SqlitePaths.jdbcUrl(file, ""), config.toProperties());
        try (Statement statement = connection.createStatement()) {
            for (String definition : SCHEMA) {
                statement.execute(definition);
            }
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        return connection;
    }

    private static void insert(Connection connection, DrillReport report) throws SQLException {
        Txid replicated = report.replicated();
        update(
                connection,
                "INSERT INTO drill (database, replica, outcome, started_at, elapsed, replicated, problem, bytes_received,"
                        + " cost_micros) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                report.database(),
                report.replica(),
                report.outcome().name(),
                report.startedAt().toEpochMilli(),
                report.elapsed().toMillis(),
                replicated == null ? null : replicated.toString(),
                report.problem(),
                report.bytesReceived(),
                report.costMicros());
        long id;
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT last_insert_rowid()")) {
            id = row.getLong(1);
        }
        insert(connection, id, 1, report.newest());
        insert(connection, id, 0, report.past());
        for (DrillFinding finding : report.findings()) {
            update(
                    connection,
                    "INSERT INTO finding (drill, kind, text) VALUES (?, ?, ?)",
                    id,
                    finding.kind().name(),
                    finding.text());
        }
        for (Map.Entry<String, Long> request : report.requests().entrySet()) {
            update(connection, "INSERT INTO request VALUES (?, ?, ?)", id, request.getKey(), request.getValue());
        }
    }

    private static void insert(Connection connection, long id, int newest, @Nullable DrilledState state)
            throws SQLException {
        if (state != null) {
            update(
                    connection,
                    "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    id,
                    newest,
                    state.target(),
                    state.txid().toString(),
                    state.timestamp().toEpochMilli(),
                    state.bytes(),
                    state.files(),
                    state.bytesRead(),
                    state.checksumCompared() ? 1 : 0,
                    state.recovery().toMillis());
        }
    }

    private static void update(Connection connection, String sql, @Nullable Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            statement.executeUpdate();
        }
    }

    private static DrillReport report(Connection connection, ResultSet row) throws SQLException {
        long id = row.getLong("id");
        String replicated = row.getString("replicated");
        return new DrillReport(
                row.getString("database"),
                row.getString("replica"),
                DrillOutcome.valueOf(row.getString("outcome")),
                Instant.ofEpochMilli(row.getLong("started_at")),
                Duration.ofMillis(row.getLong("elapsed")),
                replicated == null ? null : Txid.parse(replicated),
                state(connection, id, 1),
                state(connection, id, 0),
                findings(connection, id),
                row.getString("problem"),
                requests(connection, id),
                row.getLong("bytes_received"),
                row.getLong("cost_micros"));
    }

    private static @Nullable DrilledState state(Connection connection, long drill, int newest) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT * FROM state WHERE drill = ? AND newest = ?")) {
            select.setLong(1, drill);
            select.setInt(2, newest);
            try (ResultSet row = select.executeQuery()) {
                return !row.next()
                        ? null
                        : new DrilledState(
                                row.getString("target"),
                                Txid.parse(row.getString("txid")),
                                Instant.ofEpochMilli(row.getLong("timestamp")),
                                row.getLong("bytes"),
                                row.getInt("files"),
                                row.getLong("bytes_read"),
                                row.getInt("checksum_compared") != 0,
                                Duration.ofMillis(row.getLong("recovery")));
            }
        }
    }

    private static List<DrillFinding> findings(Connection connection, long drill) throws SQLException {
        List<DrillFinding> findings = new ArrayList<>();
        try (PreparedStatement select =
                connection.prepareStatement("SELECT kind, text FROM finding WHERE drill = ? ORDER BY id")) {
            select.setLong(1, drill);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    findings.add(new DrillFinding(DrillFinding.Kind.valueOf(row.getString(1)), row.getString(2)));
                }
            }
        }
        return findings;
    }

    private static Map<String, Long> requests(Connection connection, long drill) throws SQLException {
        Map<String, Long> requests = new TreeMap<>();
        try (PreparedStatement select =
                connection.prepareStatement("SELECT operation, count FROM request WHERE drill = ?")) {
            select.setLong(1, drill);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    requests.put(row.getString(1), row.getLong(2));
                }
            }
        }
        return requests;
    }
}
