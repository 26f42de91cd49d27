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
import org.litestream4j.internal.files.SqliteCode;
import org.sqlite.SQLiteConnection;
import org.sqlite.core.DB;

/**
 * The engine's SQLite connections to one database. One holds the read transaction. Two more are open while there is
 * work: one for checkpoint rounds, and one that asks SQLite for the number of committed frames. Confined to the capture
 * lane.
 */
final class SqliteSession implements Closeable {

    private static final int BACKUP_PAUSE_MILLIS = 10;
    private static final int BACKUP_ATTEMPTS = 5;

    private final OwnConnections connections;
    private final CommittedFrames committed;
    private final SqliteWriteLock writeLock;
    private final CaptureListener listener;

    /** Connection with the read transaction; without a transaction if {@code reading} is false. */
    private Connection held;

    private boolean reading = true;

    /**
     * Connection without a transaction, or with the new read transaction during a change of readers; null if not open.
     */
    private @Nullable Connection spare;

    private SqliteSession(OwnConnections connections, Duration busyTimeout, CaptureListener listener, Connection held) {
        this.connections = connections;
        this.committed = new CommittedFrames(connections);
        this.writeLock = new SqliteWriteLock(connections, busyTimeout, listener);
        this.listener = listener;
        this.held = held;
    }

    /**
     * Opens an existing database, switches it to WAL mode if necessary, and begins the read transaction.
     *
     * @param listener receives checkpoints and the time for which the write lock was held
     * @throws CaptureException if SQLite is too old, or the database cannot be opened or switched
     */
    static SqliteSession open(Path path, Duration busyTimeout, CaptureListener listener) throws IOException {
        OwnConnections connections = new OwnConnections(path, busyTimeout);
        Connection connection = DatabaseOpener.open(connections);
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
     * Runs a checkpoint and truncates the WAL, unless other connections prevent it. Used after another program
     * overwrote the database file: after a crash, SQLite would otherwise apply the old frames to the new content.
     */
    static void emptyWal(Path path, Duration busyTimeout) throws IOException {
        try (Connection connection = new OwnConnections(path, busyTimeout).open()) {
            // If other connections prevent it, the statement returns a row that says so, and the WAL remains.
            OwnConnections.run(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        } catch (SQLException e) {
            if (!SqliteErrors.isBusy(e)) {
                throw SqliteErrors.failure(path, "cannot reset the WAL", e);
            }
        }
    }

    /** Returns the size of the database in pages, as seen by the read transaction. */
    long pageCount() throws IOException {
        return connections.query(held, "PRAGMA page_count");
    }

    /** Returns the page size in bytes. */
    int pageSize() throws IOException {
        return (int) connections.query(held, "PRAGMA page_size");
    }

    /** Returns the current number of tables, indexes, views and triggers, not that of the read transaction. */
    long schemaSize() throws IOException {
        return connections.query(spare(), "SELECT count(*) FROM sqlite_schema");
    }

    /** Begins a second read transaction. The first one continues until {@link #endOldReader}. */
    void beginNewReader() throws IOException {
        beginRead(spare());
    }

    /** Ends the first of the two read transactions. */
    void endOldReader() throws IOException {
        Connection old = held;
        held = spare();
        spare = old;
        connections.execute(old, "COMMIT");
    }

    /** Rolls back the second read transaction after a failed capture. The first one continues. */
    void abandonNewReader() {
        if (spare != null) {
            OwnConnections.rollbackQuietly(spare);
        }
    }

    /**
     * Result of a checkpoint.
     *
     * @param busy whether SQLite could not run it
     * @param log number of frames in the WAL
     * @param checkpointed number of these frames that are in the database file
     */
    record Checkpoint(boolean busy, long log, long checkpointed) {
        boolean complete() {
            return !busy && log == checkpointed;
        }
    }

    /** Runs a checkpoint that copies all frames that no reader prevents. Blocks neither readers nor writers. */
    Checkpoint checkpointPassive() throws IOException {
        return timedCheckpoint(spare(), CheckpointLocking.PASSIVE);
    }

    /**
     * Ends the read transaction, runs a checkpoint, and begins a new read transaction. If no writer may commit in
     * between, call it under the write lock.
     *
     * @param mode {@link CheckpointLocking#LOCKED} under the write lock
     */
    Checkpoint checkpointRenewingReader(CheckpointLocking mode) throws IOException {
        connections.execute(held, "COMMIT");
        reading = false; // after an error there is no reader, and the caller must detach
        Checkpoint result = timedCheckpoint(held, mode);
        beginRead(held);
        reading = true;
        return result;
    }

    /** Opens a connection with a read transaction. Any thread may close it, with {@link #closeQuietly}. */
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

    /** Runs an action under the write lock. Returns false if the lock was not acquired within the busy timeout. */
    boolean underWriteLock(IoAction action) throws IOException {
        return writeLock.hold(spare(), action);
    }

    /** Returns whether the read transaction is held. */
    boolean isReading() {
        return reading;
    }

    /** Returns the number of committed frames. Takes no lock and runs no checkpoint. */
    CommittedFrames.Count count() throws IOException {
        return committed.count();
    }

    /** Ends the read transaction permanently, and runs a checkpoint of a database that is no longer captured. */
    void checkpointWithoutReader() throws IOException {
        if (reading) {
            connections.execute(held, "COMMIT");
            reading = false;
        }
        timedCheckpoint(held, CheckpointLocking.PASSIVE);
    }

    /**
     * Copies a side file over the database in one write transaction, with SQLite's backup API. The result code does not
     * show whether the copy took effect.
     *
     * @return SQLite's primary result code
     */
    int restoreFrom(Path side) throws IOException {
        try {
            DB database = spare().unwrap(SQLiteConnection.class).getDatabase();
            if (!writeLock.awaitRelease(spare())) {
                return SqliteCode.BUSY;
            }
            long begun = System.nanoTime();
            int result = database.restore("main", side.toString(), null, BACKUP_PAUSE_MILLIS, BACKUP_ATTEMPTS, -1);
            listener.writeLockHeld(System.nanoTime() - begun);
            return SqliteCode.primary(result);
        } catch (SQLException e) {
            return SqliteCode.primary(e);
        }
    }

    /** Returns the text encoding as reported by {@code PRAGMA encoding}. */
    String textEncoding() throws IOException {
        try (Statement statement = spare().createStatement();
                ResultSet row = statement.executeQuery("PRAGMA encoding")) {
            return row.getString(1);
        } catch (SQLException e) {
            throw connections.failure("cannot read the text encoding", e);
        }
    }

    /** Closes the connections that are not needed while the database is idle. They are opened again on demand. */
    void closeIdleConnections() {
        Connection idle = spare;
        spare = null;
        if (idle != null) {
            closeQuietly(idle);
        }
        committed.closeIdleConnections();
    }

    /**
     * Closes all connections. If no other connection has the database open, SQLite then runs a checkpoint and deletes
     * the WAL.
     */
    @Override
    public void close() {
        closeIdleConnections();
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
            connections.query(connection, "PRAGMA schema_version"); // the first read takes the read lock
            begun = true;
        } finally {
            if (!begun) {
                connections.execute(connection, "ROLLBACK");
            }
        }
    }

    private Checkpoint timedCheckpoint(Connection connection, CheckpointLocking mode) throws IOException {
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

    /** Closes a connection of {@link #openReader}, or any other of these connections. */
    static void closeQuietly(Connection connection) {
        OwnConnections.closeQuietly(connection);
    }

    /** An action that may fail with an {@link IOException}. */
    @FunctionalInterface
    interface IoAction {
        void run() throws IOException;
    }
}
