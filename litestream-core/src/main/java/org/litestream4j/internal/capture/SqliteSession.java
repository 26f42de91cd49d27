package org.litestream4j.internal.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConnection;
import org.sqlite.core.DB;

/**
 * Our own SQLite connections to one database: one holds the read transaction; two more exist while there is work, one for
 * checkpoint rounds, one that asks SQLite how much is committed. Confined to the capture lane.
 */
final class SqliteSession implements Closeable {

    private static final int BACKUP_PAUSE_MILLIS = 10;
    private static final int BACKUP_ATTEMPTS = 5;

    private final OwnConnections connections;
    private final CommittedFrames committed;
    private final WriteLock writeLock;
    private final CaptureListener listener;

    /** In a read transaction, if {@code reading}. */
    private Connection held;

    private boolean reading = true;

    /** In no transaction, or the new reader during a swap. */
    private @Nullable Connection spare;

    private SqliteSession(OwnConnections connections, Duration busyTimeout, CaptureListener listener, Connection held) {
        this.connections = connections;
        this.committed = new CommittedFrames(connections);
        this.writeLock = new WriteLock(connections, busyTimeout, listener);
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
        OwnConnections connections = new OwnConnections(path, busyTimeout);
        Connection connection = FirstConnection.open(connections);
        boolean opened = false;
        try {
            SqliteSession session = new SqliteSession(connections, busyTimeout, listener, connection);
            session.beginRead(connection);
            opened = true;
            return session;
        } finally {
            if (!opened) {
                closeQuietly(connection);
            }
        }
    }

    /**
     * Lets the WAL begin anew if all of it is in the database file, and no reader needs it: what it holds must not be applied
     * again, after a crash, to a file that somebody wrote over.
     */
    static void emptyWal(Path path, Duration busyTimeout) throws IOException {
        try (Connection connection = new OwnConnections(path, busyTimeout).open()) {
            // A busy one says so in its row, and is left at that.
            OwnConnections.run(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        } catch (SQLException e) {
            if (!SqliteErrors.isBusy(e)) {
                throw SqliteErrors.failure(path, "cannot reset the WAL", e);
            }
        }
    }

    /** Database size in pages, as the held read transaction sees it. */
    long pageCount() throws IOException {
        return connections.query(held, "PRAGMA page_count");
    }

    /** In bytes. */
    int pageSize() throws IOException {
        return (int) connections.query(held, "PRAGMA page_size");
    }

    /** Number of tables, indexes, views and triggers. */
    long schemaSize() throws IOException {
        return connections.query(held, "SELECT count(*) FROM sqlite_schema");
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
        connections.execute(old, "COMMIT");
    }

    /** Gives up the new read transaction instead, after a failed capture. */
    void abandonNewReader() {
        if (spare != null) {
            OwnConnections.rollbackQuietly(spare);
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

    /**
     * Ends the read transaction, checkpoints, and begins the read transaction again. Call it under the write lock if no writer may
     * come in between.
     *
     * @param mode {@link CheckpointMode#LOCKED} under the write lock
     */
    Checkpoint checkpointRenewingReader(CheckpointMode mode) throws IOException {
        connections.execute(held, "COMMIT");
        reading = false; // an error in between leaves no reader: the caller must detach
        Checkpoint result = timedCheckpoint(held, mode);
        beginRead(held);
        reading = true;
        return result;
    }

    /** A connection of its own in a read transaction, to be closed with {@link #closeQuietly}; any thread may do that. */
    Connection openReader() throws IOException {
        Connection reader;
        try {
            reader = connections.open();
        } catch (SQLException e) {
            throw connections.failure("cannot open a connection", e);
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
        return writeLock.hold(spare(), action);
    }

    /** Whether the read transaction is held. */
    boolean isReading() {
        return reading;
    }

    /** Asks SQLite how much of the WAL is committed; takes no lock and copies nothing. */
    CommittedFrames.Count count() throws IOException {
        return committed.count();
    }

    /** Ends the read transaction for good and copies what may be copied, for a database that is no longer captured. */
    void checkpointWithoutReader() throws IOException {
        if (reading) {
            connections.execute(held, "COMMIT");
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
            throw connections.failure("cannot read the text encoding", e);
        }
    }

    /** Closes the connections that an idle database does not need, until they are needed again. */
    void rest() {
        Connection idle = spare;
        spare = null;
        if (idle != null) {
            closeQuietly(idle);
        }
        committed.rest();
    }

    /** Closes all connections; SQLite then checkpoints and deletes the WAL if nobody else has the database open. */
    @Override
    public void close() {
        rest();
        closeQuietly(held);
    }

    private Connection spare() throws IOException {
        if (spare == null) {
            spare = connections.openAnother();
        }
        return spare;
    }

    private void beginRead(Connection connection) throws IOException {
        connections.execute(connection, "BEGIN");
        boolean begun = false;
        try {
            connections.query(connection, "PRAGMA schema_version"); // the first read takes the lock
            begun = true;
        } finally {
            if (!begun) {
                connections.execute(connection, "ROLLBACK");
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
            if (SqliteErrors.isBusy(e)) {
                return new Checkpoint(true, -1, -1);
            }
            throw connections.failure("checkpoint failed", e);
        }
    }

    /** Closes what {@link #openReader} opened, or any other of these connections. */
    static void closeQuietly(Connection connection) {
        OwnConnections.closeQuietly(connection);
    }

    /** An action that may fail with an {@link IOException}. */
    @FunctionalInterface
    interface IoAction {
        void run() throws IOException;
    }
}
