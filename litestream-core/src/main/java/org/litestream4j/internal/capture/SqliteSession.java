package org.litestream4j.internal.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.DatabaseOpening;
import org.litestream4j.internal.files.SqlitePaths;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteOpenMode;
import org.sqlite.core.DB;

/**
 * Our own SQLite connections to one database: one holds the read transaction; two more exist while there is work, one for
 * checkpoint rounds, one that asks SQLite how much is committed. Confined to the capture lane.
 */
final class SqliteSession implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(SqliteSession.class);

    /** Older versions may lose a WAL reset; see sqlite.org, release notes of 3.51.3. */
    private static final int OLDEST_SQLITE = 3_051_003;

    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)\\.(\\d+)");

    // SQLite's primary result codes.
    private static final int SQLITE_PERM = 3;
    private static final int SQLITE_READONLY = 8;
    private static final int SQLITE_FULL = 13;
    private static final int SQLITE_CANTOPEN = 14;
    private static final int SQLITE_NOTADB = 26;

    private static final int BACKUP_PAUSE_MILLIS = 10;
    private static final int BACKUP_ATTEMPTS = 5;

    private static final long LOCK_PAUSE_NANOS = 20_000;

    private static final int COUNT_ATTEMPTS = 100;

    /** What becomes of each connection that is opened. Tests replace it, to come in between two statements. */
    static volatile UnaryOperator<Connection> view = connection -> connection;

    private final Path path;
    private final Duration busyTimeout;
    private final CaptureListener listener;

    /** In a read transaction, if {@code reading}. */
    private Connection held;

    private boolean reading = true;

    /** In no transaction, or the new reader during a swap. */
    private @Nullable Connection spare;

    /** In no transaction at any time: SQLite answers {@link #count} to no other. */
    private @Nullable Counter counter;

    private record Counter(Connection connection, PreparedStatement noop) {}

    private SqliteSession(Path path, Duration busyTimeout, CaptureListener listener, Connection held) {
        this.path = path;
        this.busyTimeout = busyTimeout;
        this.listener = listener;
        this.held = held;
    }

    /**
     * Opens an existing database, switches it to WAL where it is not yet, and begins the read transaction.
     *
     * @param listener told of checkpoints, and how long the write lock was held
     * @throws CaptureException if SQLite is too old, or the database cannot be opened or switched
     */
    static SqliteSession open(Path path, Duration busyTimeout, CaptureListener listener) throws IOException {
        Connection connection = null;
        boolean opened = false;
        try {
            connection = connect(path, busyTimeout);
            checkVersion(path, connection);
            requireSameFile(path, connection);
            switchToWal(path, connection);
            SqliteSession session = new SqliteSession(path, busyTimeout, listener, connection);
            session.beginRead(connection);
            opened = true;
            return session;
        } catch (SQLException e) {
            throw failure(path, "cannot open the database", e);
        } finally {
            if (!opened && connection != null) {
                closeQuietly(connection);
            }
        }
    }

    /**
     * Lets the WAL begin anew if all of it is in the database file, and no reader needs it: what it holds must not be applied
     * again, after a crash, to a file that somebody wrote over.
     */
    static void emptyWal(Path path, Duration busyTimeout) throws IOException {
        try (Connection connection = connect(path, busyTimeout)) {
            run(connection, "PRAGMA wal_checkpoint(TRUNCATE)"); // a busy one says so in its row, and is left at that
        } catch (SQLException e) {
            if (!isBusy(e)) {
                throw failure(path, "cannot reset the WAL", e);
            }
        }
    }

    /** Database size in pages, as the held read transaction sees it. */
    long pageCount() throws IOException {
        return query(held, "PRAGMA page_count");
    }

    /** In bytes. */
    int pageSize() throws IOException {
        return (int) query(held, "PRAGMA page_size");
    }

    /** Number of tables, indexes, views and triggers. */
    long schemaSize() throws IOException {
        return query(held, "SELECT count(*) FROM sqlite_schema");
    }

    /** Begins a second read transaction; the first goes on until {@link #endOldReader}. */
    void beginNewReader() throws IOException {
        beginRead(spare());
    }

    /** Ends the older of the two read transactions. */
    void endOldReader() throws IOException {
        Connection old = held;
        held = spare();
        spare = old;
        execute(old, "COMMIT");
    }

    /** Gives up the new read transaction instead, after a failed capture. */
    void abandonNewReader() {
        if (spare != null) {
            rollbackQuietly(spare);
        }
    }

    /** What a checkpoint said. */
    record Checkpoint(boolean busy, long log, long checkpointed) {
        boolean complete() {
            return !busy && log == checkpointed;
        }
    }

    /** Copies what may be copied into the database file; no lock of writers or readers. */
    Checkpoint checkpointPassive() throws IOException {
        return timedCheckpoint(spare(), CheckpointMode.PASSIVE);
    }

    /** Under the write lock: ends the read transaction, copies everything, and begins the read transaction anew. */
    Checkpoint checkpointRenewingReader() throws IOException {
        execute(held, "COMMIT");
        reading = false; // an error in between leaves no reader: the caller must detach
        Checkpoint result = timedCheckpoint(held, CheckpointMode.LOCKED);
        beginRead(held);
        reading = true;
        return result;
    }

    /** A connection of its own in a read transaction, to be closed with {@link #closeQuietly}; any thread may do that. */
    Connection openReader() throws IOException {
        Connection reader;
        try {
            reader = connect(path, busyTimeout);
        } catch (SQLException e) {
            throw failure(path, "cannot open a connection", e);
        }
        boolean begun = false;
        try {
            beginRead(reader);
            begun = true;
            return reader;
        } finally {
            if (!begun) {
                closeQuietly(reader);
            }
        }
    }

    /** Runs an action while nobody can write. False if the write lock was not to be had. */
    boolean underWriteLock(IoAction action) throws IOException {
        Connection writer = spare();
        if (!lock(writer)) {
            return false;
        }
        long taken = System.nanoTime();
        listener.writeLockTaken();
        try {
            boolean done = false;
            try {
                action.run();
                done = true;
            } finally {
                if (!done) {
                    rollbackQuietly(writer);
                }
            }
            execute(writer, "ROLLBACK");
            return true;
        } finally {
            listener.writeLockHeld(System.nanoTime() - taken);
        }
    }

    private static void rollbackQuietly(Connection connection) {
        try {
            run(connection, "ROLLBACK");
        } catch (SQLException e) {
            log.debug("rolling back after an error failed", e); // the error itself is what matters
        }
    }

    /** Whether the read transaction is held. */
    boolean isReading() {
        return reading;
    }

    /**
     * What SQLite counts in the WAL at this moment. Nothing behind {@code committed} is committed, however valid it looks.
     *
     * @param committed number of committed frames, {@code mxFrame} of the wal-index; 0 if the WAL is to begin anew
     * @param copied so many of them are in the database file
     */
    record Count(long committed, long copied) {}

    /** Asks SQLite; takes no lock and copies nothing. */
    Count count() throws IOException {
        PreparedStatement noop = counter().noop();
        for (int attempt = 1; attempt <= COUNT_ATTEMPTS; attempt++) {
            try (ResultSet row = noop.executeQuery()) {
                row.next();
                if (row.getInt(1) == 0 && row.getLong(2) >= 0) {
                    return new Count(row.getLong(2), Math.max(0, row.getLong(3)));
                }
            } catch (SQLException e) {
                if (!isBusy(e)) {
                    throw failure(path, "cannot ask for the number of committed frames", e);
                }
            }
            LockSupport.parkNanos(attempt * LOCK_PAUSE_NANOS);
        }
        throw new IOException(path + ": the wal-index is being recovered by another connection; will retry");
    }

    private Counter counter() throws IOException {
        Counter open = counter;
        if (open == null) {
            Connection connection = null;
            try {
                connection = connect(path, busyTimeout);
                open = new Counter(connection, connection.prepareStatement("PRAGMA wal_checkpoint(NOOP)"));
                counter = open;
            } catch (SQLException e) {
                if (connection != null) {
                    closeQuietly(connection);
                }
                throw unopened(path, e);
            }
        }
        return open;
    }

    /** Ends the read transaction for good and copies what may be copied, for a database that is no longer captured. */
    void checkpointWithoutReader() throws IOException {
        if (reading) {
            execute(held, "COMMIT");
            reading = false;
        }
        timedCheckpoint(held, CheckpointMode.PASSIVE);
    }

    /**
     * Copies a side file in, in one write transaction, with SQLite's backup API. The result code does not tell whether it
     * happened.
     *
     * @return SQLite's primary result code
     */
    int restoreFrom(Path side) throws IOException {
        try {
            DB database = spare().unwrap(SQLiteConnection.class).getDatabase();
            long begun = System.nanoTime();
            int result = database.restore("main", side.toString(), null, BACKUP_PAUSE_MILLIS, BACKUP_ATTEMPTS, -1);
            listener.writeLockHeld(System.nanoTime() - begun);
            return result & 0xFF;
        } catch (SQLException e) {
            return e.getErrorCode() & 0xFF;
        }
    }

    /** As {@code PRAGMA encoding} tells it. */
    String textEncoding() throws IOException {
        try (Statement statement = spare().createStatement();
                ResultSet row = statement.executeQuery("PRAGMA encoding")) {
            return row.getString(1);
        } catch (SQLException e) {
            throw failure(path, "cannot read the text encoding", e);
        }
    }

    /** Whether an operation with this primary result code may succeed later. */
    static boolean mayPass(int result) {
        return result == SQLiteErrorCode.SQLITE_OK.code
                || result == SQLiteErrorCode.SQLITE_BUSY.code
                || result == SQLiteErrorCode.SQLITE_LOCKED.code
                || result == SQLiteErrorCode.SQLITE_DONE.code;
    }

    /** Closes the connections that an idle database does not need, until they are needed again. */
    void rest() {
        Connection idle = spare;
        spare = null;
        if (idle != null) {
            closeQuietly(idle);
        }
        Counter counting = counter;
        counter = null;
        if (counting != null) {
            closeQuietly(counting.connection());
        }
    }

    /** Closes all connections; SQLite then checkpoints and deletes the WAL if nobody else has the database open. */
    @Override
    public void close() {
        rest();
        closeQuietly(held);
    }

    private Connection spare() throws IOException {
        if (spare == null) {
            try {
                spare = connect(path, busyTimeout);
            } catch (SQLException e) {
                throw unopened(path, e);
            }
        }
        return spare;
    }

    /** A loop of our own: SQLite's busy handler sleeps so long that busy writers starve it. */
    private boolean lock(Connection writer) throws IOException {
        long deadline = System.nanoTime() + busyTimeout.toNanos();
        execute(writer, "PRAGMA busy_timeout=0");
        try {
            while (true) {
                try {
                    run(writer, "BEGIN IMMEDIATE");
                    return true;
                } catch (SQLException e) {
                    if (!isBusy(e)) {
                        throw failure(path, "cannot take the write lock", e);
                    }
                    if (System.nanoTime() - deadline > 0) {
                        return false;
                    }
                    LockSupport.parkNanos(LOCK_PAUSE_NANOS);
                }
            }
        } finally {
            execute(writer, "PRAGMA busy_timeout=" + busyTimeout.toMillis());
        }
    }

    private void beginRead(Connection connection) throws IOException {
        execute(connection, "BEGIN");
        boolean begun = false;
        try {
            query(connection, "PRAGMA schema_version"); // the first read takes the lock
            begun = true;
        } finally {
            if (!begun) {
                execute(connection, "ROLLBACK");
            }
        }
    }

    private Checkpoint timedCheckpoint(Connection connection, CheckpointMode mode) throws IOException {
        long begun = System.nanoTime();
        boolean done = false;
        try {
            Checkpoint result = checkpoint(connection, "PASSIVE");
            done = !result.busy();
            return result;
        } finally {
            listener.checkpointed(mode, System.nanoTime() - begun, done);
        }
    }

    private Checkpoint checkpoint(Connection connection, String mode) throws IOException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(" + mode + ")")) {
            row.next();
            return new Checkpoint(row.getInt(1) != 0 || row.getLong(2) < 0, row.getLong(2), row.getLong(3));
        } catch (SQLException e) {
            if (isBusy(e)) {
                return new Checkpoint(true, -1, -1);
            }
            throw failure(path, "checkpoint failed", e);
        }
    }

    private void execute(Connection connection, String sql) throws IOException {
        try {
            run(connection, sql);
        } catch (SQLException e) {
            throw failure(path, sql + " failed", e);
        }
    }

    private long query(Connection connection, String sql) throws IOException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw failure(path, sql + " failed", e);
        }
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Whatever the configured path says: the WAL that is read must be the one that SQLite writes. */
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

    private static Connection connect(Path path, Duration busyTimeout) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.resetOpenMode(SQLiteOpenMode.CREATE); // the database is the application's to create
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

    /** As SQLite counts: 3.51.3 is 3051003. */
    static int versionNumber(String version) {
        Matcher matcher = VERSION.matcher(version);
        if (!matcher.lookingAt()) {
            throw new IllegalArgumentException("not a SQLite version: " + version);
        }
        return (Integer.parseInt(matcher.group(1)) * 1000 + Integer.parseInt(matcher.group(2))) * 1000
                + Integer.parseInt(matcher.group(3));
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

    static boolean isBusy(SQLException e) {
        return e instanceof SQLiteException sqlite
                && (sqlite.getResultCode().code & 0xff) == SQLiteErrorCode.SQLITE_BUSY.code;
    }

    private static CaptureException failure(Path path, String what, SQLException e) {
        String remedy = "";
        if (isBusy(e)) {
            remedy = "another connection holds a lock; will retry";
        } else if (e instanceof SQLiteException sqlite
                && sqlite.getResultCode() == SQLiteErrorCode.SQLITE_IOERR_SHORT_READ) {
            remedy = "the database file was truncated, or its WAL was deleted or replaced, while it was open:"
                    + " close all connections to it";
        } else if (e instanceof SQLiteException sqlite) {
            remedy = switch (sqlite.getResultCode().code & 0xff) {
                case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM ->
                    "make the database, the files beside it and its folder readable and writable; will retry";
                case SQLITE_NOTADB -> "correct the path, or restore the file; encrypted databases are not supported";
                case SQLITE_FULL -> "make room on the disk of the database; will retry";
                default -> "";
            };
        }
        return new CaptureException(path, what + ": " + e.getMessage(), remedy, e);
    }

    /** The read transaction is held still: no reason to detach, and with it to lose what follows. */
    private static IOException unopened(Path path, SQLException e) {
        return new IOException(
                failure(path, "cannot open another connection", e).getMessage(), e);
    }

    static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            log.debug("closing a connection failed", e);
        }
    }

    /** An action that may fail with an {@link IOException}. */
    @FunctionalInterface
    interface IoAction {
        void run() throws IOException;
    }
}
