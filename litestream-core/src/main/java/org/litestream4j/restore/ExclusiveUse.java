package org.litestream4j.restore;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Locale;
import java.util.Properties;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.NativeLibrary;
import org.litestream4j.internal.files.SqliteCode;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.restore.RestoreException.Reason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.JDBC;
import org.sqlite.SQLiteException;

/**
 * Exclusive use of a database that is about to be replaced, held until closed. A process that still had the database
 * open would continue with the old file, and its commits would be lost. In WAL mode, SQLite grants exclusive use only
 * if there is no other connection, in this process or another. In a database with a rollback journal, only running
 * transactions can be detected.
 */
final class ExclusiveUse implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(ExclusiveUse.class);

    /** See proc_locks(5). */
    private static final Path LOCKS = Path.of("/proc/locks");

    private static final Duration BUSY_TIMEOUT = Duration.ofSeconds(1);

    private final @Nullable Connection connection;

    private ExclusiveUse(@Nullable Connection connection) {
        this.connection = connection;
    }

    /**
     * Returns whether another process or connection is seen to have the database open, without touching the file: on
     * Linux, by the list of the system's file locks. A false result proves nothing; processes in other containers, for
     * example, are not seen.
     */
    static boolean isSeen(Path database) {
        try {
            if (!Files.isReadable(LOCKS)) {
                return false;
            }
            long device = ((Number) Files.getAttribute(database, "unix:dev")).longValue();
            String file = String.format(
                    Locale.ROOT,
                    " %02x:%02x:%d ",
                    (device >> 8 & 0xfff) | (device >> 32 & ~0xfffL),
                    (device & 0xff) | (device >> 12 & 0xfff00L),
                    ((Number) Files.getAttribute(database, "unix:ino")).longValue());
            try (Stream<String> locks = Files.lines(LOCKS)) {
                return locks.anyMatch(lock -> lock.contains(file));
            }
        } catch (IOException | UncheckedIOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /**
     * Takes exclusive use of a database. Leaves no WAL beside it.
     *
     * @throws RestoreException with {@link Reason#TARGET_EXISTS} if another connection has the database open
     */
    static ExclusiveUse take(Path database, String replica) throws IOException {
        NativeLibrary.require(); // a missing library would otherwise look like an open database
        Connection connection = null;
        boolean taken = false;
        try {
            connection = JDBC.createConnection(SqlitePaths.jdbcUrl(database, "mode=rw"), new Properties());
            run(connection, "PRAGMA busy_timeout=" + BUSY_TIMEOUT.toMillis());
            run(connection, "PRAGMA journal_mode=DELETE"); // SQLite allows this only to the sole connection
            run(connection, "BEGIN EXCLUSIVE");
            if (!"delete".equals(text(connection, "PRAGMA journal_mode"))) { // another connection was faster
                throw refused(database, replica, null);
            }
            taken = true;
            return new ExclusiveUse(connection);
        } catch (SQLiteException e) {
            if (SqliteCode.isNoDatabase(e)) {
                log.warn("{} is damaged: cannot determine whether another process has it open", database);
                return new ExclusiveUse(null);
            }
            throw refused(database, replica, e);
        } catch (SQLException e) {
            throw refused(database, replica, e);
        } finally {
            if (!taken && connection != null) {
                closeQuietly(connection);
            }
        }
    }

    /**
     * Returns whether a file begins with SQLite's header, even if the rest is damaged. SQLite reads the file first:
     * Java may open only a file on which no connection of this process can hold locks.
     */
    static boolean isDatabase(Path file) throws IOException {
        if (Files.size(file) < StandbyHeader.SIZE) { // SQLite treats a file of 1 byte as an empty database
            return false;
        }
        try (Connection connection =
                JDBC.createConnection(SqlitePaths.jdbcUrl(file, "immutable=1&mode=ro"), new Properties())) {
            text(connection, "PRAGMA schema_version");
            return true;
        } catch (SQLiteException e) {
            if (SqliteCode.primary(e) != SqliteCode.NOTADB) {
                return true;
            }
        } catch (SQLException e) {
            throw new IOException("cannot read " + file + ": " + e.getMessage(), e);
        }
        try (InputStream in = Files.newInputStream(file)) {
            return StandbyHeader.isDatabase(in.readNBytes(StandbyHeader.SIZE));
        }
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.getString(1);
        }
    }

    static RestoreException refused(Path database, String replica, @Nullable SQLException e) {
        return new RestoreException(
                Reason.TARGET_EXISTS,
                replica,
                database + " cannot be replaced: another connection has it open"
                        + (e == null ? "" : ", or it cannot be opened at all: " + e.getMessage()),
                "stop the processes that use it, or restore in place; a file that cannot be opened may be moved away",
                e);
    }

    private static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            log.debug("closing a database that was replaced failed", e);
        }
    }

    @Override
    public void close() {
        if (connection != null) {
            closeQuietly(connection);
        }
    }
}
