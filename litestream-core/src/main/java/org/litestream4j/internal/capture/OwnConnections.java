package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.litestream4j.internal.files.DatabaseOpening;
import org.litestream4j.internal.files.SqlitePaths;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;

/** Opens the engine's connections to one database, and runs statements on them. */
final class OwnConnections {

    private static final Logger log = LoggerFactory.getLogger(OwnConnections.class);

    /** Wraps each opened connection. Tests replace it, to run code between two statements. */
    static volatile UnaryOperator<Connection> view = connection -> connection;

    private final Path path;
    private final Duration busyTimeout;

    OwnConnections(Path path, Duration busyTimeout) {
        this.path = path;
        this.busyTimeout = busyTimeout;
    }

    Path path() {
        return path;
    }

    Connection open() throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.resetOpenMode(SQLiteOpenMode.CREATE); // only the application creates the database
        config.setBusyTimeout((int) TimeUnit.MILLISECONDS.convert(busyTimeout));
        Connection connection = DatabaseOpening.open(() -> config.createConnection(SqlitePaths.jdbcUrl(path, "")));
        boolean ready = false;
        try {
            run(connection, "PRAGMA wal_autocheckpoint=0");
            run(connection, "PRAGMA synchronous=NORMAL");
            run(connection, "PRAGMA cache_size=-64");
            ready = true;
            return view.apply(connection);
        } finally {
            if (!ready) {
                closeQuietly(connection);
            }
        }
    }

    /** Opens a connection in addition to the one with the read transaction. */
    Connection openAnother() throws IOException {
        try {
            return open();
        } catch (SQLException e) {
            throw unopened(e);
        }
    }

    /**
     * Returns an exception that does not detach the database: the read transaction is still held, and a detach could
     * lose frames.
     */
    IOException unopened(SQLException e) {
        return new IOException(failure("cannot open another connection", e).getMessage(), e);
    }

    CaptureException failure(String what, SQLException e) {
        return SqliteErrors.failure(path, what, e);
    }

    void execute(Connection connection, String sql) throws IOException {
        try {
            run(connection, sql);
        } catch (SQLException e) {
            throw failure(sql + " failed", e);
        }
    }

    /** Returns the first column of the first row. */
    long query(Connection connection, String sql) throws IOException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw failure(sql + " failed", e);
        }
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static void rollbackQuietly(Connection connection) {
        try {
            run(connection, "ROLLBACK");
        } catch (SQLException e) {
            log.debug("rolling back after an error failed", e);
        }
    }

    static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            log.debug("closing a connection failed", e);
        }
    }
}
