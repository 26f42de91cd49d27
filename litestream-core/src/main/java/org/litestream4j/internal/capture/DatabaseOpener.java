package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Opens the first connection to a database, checks whether the database can be captured, and switches it to WAL mode.
 */
final class DatabaseOpener {

    /**
     * Oldest supported version. Older versions can lose writes when the WAL is reset; see the release notes of 3.51.3
     * on sqlite.org.
     */
    private static final int OLDEST_SQLITE = 3_051_003;

    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)\\.(\\d+)");

    private DatabaseOpener() {}

    /** @throws CaptureException if SQLite is too old, or the database cannot be opened or switched */
    static Connection open(OwnConnections connections) throws IOException {
        Path path = connections.path();
        Connection connection = null;
        boolean opened = false;
        try {
            connection = connections.open();
            checkVersion(path, connection);
            requireSameFile(path, connection);
            switchToWal(path, connection);
            opened = true;
            return connection;
        } catch (SQLException e) {
            throw connections.failure("cannot open the database", e);
        } finally {
            if (!opened && connection != null) {
                OwnConnections.closeQuietly(connection);
            }
        }
    }

    private static void checkVersion(Path path, Connection connection) throws SQLException, CaptureException {
        String version = connection.getMetaData().getDatabaseProductVersion();
        if (versionNumber(version) < OLDEST_SQLITE) {
            throw new CaptureException(
                    path,
                    "SQLite " + version + " can lose writes when a WAL is reset",
                    "use sqlite-jdbc 3.51.3.0 or newer",
                    null);
        }
    }

    /** Returns the version in SQLite's format: 3.51.3 is 3051003. */
    private static int versionNumber(String version) {
        Matcher matcher = VERSION.matcher(version);
        if (!matcher.lookingAt()) {
            throw new IllegalArgumentException("not a SQLite version: " + version);
        }
        return (Integer.parseInt(matcher.group(1)) * 1000 + Integer.parseInt(matcher.group(2))) * 1000
                + Integer.parseInt(matcher.group(3));
    }

    /** Requires that SQLite opened the configured path, because it names the WAL after the file that it opened. */
    private static void requireSameFile(Path path, Connection connection) throws SQLException, CaptureException {
        String opened = "";
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("PRAGMA database_list")) {
            while (rows.next()) {
                opened = rows.getString(2).equals("main") ? rows.getString(3) : opened;
            }
        }
        if (!opened.equals(path.toString())) {
            throw new CaptureException(
                    path,
                    "SQLite opened " + opened + " for this path",
                    "configure the path that SQLite names, without links that change while the application runs",
                    null);
        }
    }

    private static void switchToWal(Path path, Connection connection) throws SQLException, IOException {
        String mode;
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("PRAGMA journal_mode=WAL")) {
            row.next();
            mode = row.getString(1);
        }
        if (!"wal".equalsIgnoreCase(mode)) {
            throw new CaptureException(
                    path,
                    "the database stays in journal mode " + mode + " instead of WAL",
                    Files.isWritable(path)
                            ? "put it on a file system with shared memory and locks"
                            : "make the file and its folder writable",
                    null);
        }
    }
}
