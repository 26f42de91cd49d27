package org.litestream4j.internal.jdbc;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Properties;
import java.util.Set;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.litestream4j.internal.files.DatabaseOpening;
import org.litestream4j.internal.wal.WalFile;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteException;

/**
 * DataSource between a pool and the driver. Each physical connection gets the settings that replication needs and
 * reports its commits.
 */
final class LitestreamDataSource implements DataSource {

    /**
     * Length at which a WAL is truncated, as a multiple of its limit. Writers continue during a checkpoint round, so
     * that the WAL exceeds its limit under load. A WAL that is truncated each time must grow each time, which doubles
     * the cost of a commit that forces it to the disk.
     */
    private static final int WAL_FILE_LIMITS = 2;

    private static final int SQLITE_BUSY = 5; // the primary code of SQLite's extended ones

    /** The other journal modes; any other value is not repeated, because a malformed URL may have a secret there. */
    private static final Set<String> JOURNAL_MODES = Set.of("DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF");

    private final DataSource physical;
    private final ApplicationConnections database;
    private final CommitHooks.Policy policy;

    LitestreamDataSource(DataSource physical, ApplicationConnections database, CommitHooks.Policy policy) {
        this.physical = physical;
        this.database = database;
        this.policy = policy;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return open(physical::getConnection);
    }

    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        return open(() -> physical.getConnection(username, password));
    }

    private Connection open(DatabaseOpening.Opener<Connection> opener) throws SQLException {
        if (physical instanceof SQLiteDataSource sqlite) {
            refuseUnfit(settings(sqlite)); // before a connection takes the lock
        }
        try {
            return prepared(DatabaseOpening.open(opener));
        } catch (SQLException e) {
            throw isBusy(e) ? withHint(e) : e;
        }
    }

    private static boolean isBusy(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) { // pools wrap the driver's exception
            if (cause instanceof SQLiteException sqlite && (sqlite.getResultCode().code & 0xFF) == SQLITE_BUSY) {
                return true;
            }
        }
        return false;
    }

    /** A driver that sets another journal mode waits for the engine's connection, until its timeout. */
    private SQLException withHint(SQLException e) {
        return new SQLException(
                "Cannot open the database " + database.hooks().name() + ": " + e.getMessage()
                        + ". If the DataSource sets journal_mode or locking_mode, remove it: replication needs the journal"
                        + " mode WAL and sets it itself.",
                e.getSQLState(),
                e.getErrorCode(),
                e);
    }

    private static Properties settings(SQLiteDataSource sqlite) {
        Properties set = new Properties();
        set.putAll(sqlite.getConfig().toProperties());
        String url = sqlite.getUrl();
        int query = url.indexOf('?');
        for (String parameter :
                query < 0 ? new String[0] : url.substring(query + 1).split("&", -1)) {
            String[] parts = parameter.trim().split("=", 2);
            if (parts.length == 2) {
                set.setProperty(parts[0].toLowerCase(Locale.ROOT), parts[1]);
            }
        }
        return set;
    }

    /**
     * Rejects unsuitable settings. Another journal mode cannot be set while the engine has the database open; SQLite
     * reports "database is locked". With exclusive locking, no other connection sees the commits.
     */
    private void refuseUnfit(Properties set) throws SQLException {
        String journal = set.getProperty("journal_mode", "WAL");
        if (!journal.equalsIgnoreCase("WAL")) {
            boolean known = JOURNAL_MODES.contains(journal.toUpperCase(Locale.ROOT));
            throw unfit(
                    known ? "journal_mode=" + journal : "an unknown journal_mode",
                    "replication needs the journal mode WAL and sets it itself");
        }
        if (set.getProperty("locking_mode", "NORMAL").equalsIgnoreCase("EXCLUSIVE")) {
            throw unfit("locking_mode=EXCLUSIVE", "replication must open the database alongside the application");
        }
    }

    /** Rejects what a pool has set on its connection, by the driver's properties, the URL or a statement. */
    private void refuseUnfit(SQLiteConnection sqlite) throws SQLException {
        refuseUnfit(sqlite.getDatabase().getConfig().toProperties());
        try (Statement statement = sqlite.createStatement();
                ResultSet row = statement.executeQuery("PRAGMA locking_mode")) {
            if (row.getString(1).equalsIgnoreCase("exclusive")) {
                throw unfit("locking_mode=EXCLUSIVE", "replication must open the database alongside the application");
            }
        }
    }

    private SQLException unfit(String setting, String reason) {
        return new SQLException(
                "The DataSource of the database " + database.hooks().name() + " sets " + setting + ", but " + reason
                        + ". Remove that setting from the JDBC URL, the driver's properties or the pool's initial statements.");
    }

    private Connection prepared(Connection connection) throws SQLException {
        boolean ready = false;
        try {
            SQLiteConnection sqlite = connection.unwrap(SQLiteConnection.class);
            PhysicalConnection known = database.open().find(sqlite);
            if (known != null && known.isOf(connection)) { // from a DataSource with a single shared connection
                ready = true;
                return known.proxy();
            }
            configure(sqlite);
            PhysicalConnection opened = PhysicalConnection.open(connection, sqlite, database, policy);
            database.hooks().opened();
            ready = true;
            return opened.proxy();
        } finally {
            if (!ready) {
                connection.close();
            }
        }
    }

    /**
     * Configures a connection after the driver has applied the user's settings, such as the page size or auto_vacuum.
     * Leaves the connection without a statement in its transaction, if the driver has begun one, as a pool or a
     * transaction manager expects.
     */
    private void configure(SQLiteConnection sqlite) throws SQLException {
        boolean used = sqlite.isFirstStatementExecuted();
        refuseUnfit(sqlite);
        boolean switches = !sqlite.isReadOnly() && !isWal(sqlite);
        boolean begun = !sqlite.getAutoCommit() && (switches || !used);
        if (begun) {
            sqlite.setAutoCommit(true); // a pool may have turned it off, but a database that is not in WAL mode is new
        }
        try (Statement statement = sqlite.createStatement()) {
            requireRegisteredFile(statement);
            if (switches) {
                statement.execute("PRAGMA journal_mode=WAL");
            }
            // With a reader of the engine open, a connection that runs its own checkpoints would scan the whole WAL
            // index at each commit.
            statement.execute("PRAGMA wal_autocheckpoint=0");
            long frame;
            try (ResultSet row = statement.executeQuery("PRAGMA page_size")) {
                frame = row.getLong(1) + WalFile.FRAME_HEADER_SIZE;
            }
            statement.execute("PRAGMA journal_size_limit="
                    + WAL_FILE_LIMITS * frame * database.hooks().walLimitPages());
        }
        if (begun) {
            sqlite.setAutoCommit(false);
        }
        sqlite.setFirstStatementExecuted(used && !begun); // otherwise the driver refuses to make it read-only
    }

    /**
     * Checks that the connection uses the registered file: a commit to another file would return as replicated without
     * being replicated.
     */
    private void requireRegisteredFile(Statement statement) throws SQLException {
        String opened = "";
        try (ResultSet rows = statement.executeQuery("PRAGMA database_list")) {
            while (rows.next()) {
                opened = rows.getString(2).equals("main") ? rows.getString(3) : opened;
            }
        }
        Path registered = database.hooks().path();
        if (!opened.equals(registered.toString())) {
            throw new SQLException("The DataSource opens " + (opened.isEmpty() ? "a database without a file" : opened)
                    + ", but the database " + database.hooks().name() + " is registered with the file " + registered
                    + ". Use the same file in both; SQLite names the WAL after the name by which a file was opened, so that"
                    + " two names of one file do not do.");
        }
    }

    private static boolean isWal(SQLiteConnection sqlite) throws SQLException {
        try (Statement statement = sqlite.createStatement();
                ResultSet row = statement.executeQuery("PRAGMA journal_mode")) {
            return row.getString(1).equalsIgnoreCase("wal");
        }
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return type.isInstance(this) ? type.cast(this) : physical.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(this) || physical.isWrapperFor(type);
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return physical.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        physical.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        physical.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return physical.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return physical.getParentLogger();
    }
}
