package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.litestream4j.internal.files.DatabaseOpening;
import org.litestream4j.internal.files.SqlitePaths;
import org.sqlite.JDBC;

/**
 * A database file without content: no table, no user version, no application id. A program that only opens a new
 * database and switches it to WAL mode creates such a file, of one page.
 */
final class EmptyDatabase {

    private static final int MAX_PAGE_SIZE = 65536;

    private EmptyDatabase() {}

    /** Returns whether a file is a database without content; false if it cannot be read as a database. */
    static boolean is(Path database) throws IOException {
        if (Files.size(database) > MAX_PAGE_SIZE || hasContent(database, "-wal") || hasContent(database, "-journal")) {
            return false;
        }
        // SQLite reads the file: Java would release the locks of this process's connections when it closes it.
        String url = SqlitePaths.jdbcUrl(database, "immutable=1&mode=ro");
        try (Connection connection = DatabaseOpening.open(() -> JDBC.createConnection(url, new Properties()));
                Statement statement = connection.createStatement()) {
            return value(statement, "SELECT count(*) FROM sqlite_schema") == 0
                    && value(statement, "PRAGMA page_count") == 1
                    && value(statement, "PRAGMA user_version") == 0
                    && value(statement, "PRAGMA application_id") == 0;
        } catch (SQLException e) {
            return false;
        }
    }

    private static boolean hasContent(Path database, String suffix) throws IOException {
        Path file = database.resolveSibling(database.getFileName() + suffix);
        return Files.exists(file) && Files.size(file) > 0;
    }

    private static long value(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            return row.getLong(1);
        }
    }
}
