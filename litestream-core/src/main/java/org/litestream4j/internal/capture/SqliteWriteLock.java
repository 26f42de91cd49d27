package org.litestream4j.internal.capture;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.internal.capture.SqliteSession.IoAction;

/** The write lock of one database, held while an action runs. */
final class SqliteWriteLock {

    private static final long PAUSE_NANOS = 20_000;

    private final OwnConnections connections;
    private final Duration busyTimeout;
    private final CaptureListener listener;

    SqliteWriteLock(OwnConnections connections, Duration busyTimeout, CaptureListener listener) {
        this.connections = connections;
        this.busyTimeout = busyTimeout;
        this.listener = listener;
    }

    /** Runs an action under the write lock. Returns false if the lock was not acquired within the busy timeout. */
    boolean hold(Connection writer, IoAction action) throws IOException {
        if (!take(writer)) {
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
                    OwnConnections.rollbackQuietly(writer);
                }
            }
            connections.execute(writer, "ROLLBACK");
            return true;
        } finally {
            listener.writeLockHeld(System.nanoTime() - taken);
        }
    }

    /**
     * Waits until no connection holds the lock, so that the time of waiting is not counted as that of a write that
     * follows. Returns false after the busy timeout.
     */
    boolean awaitRelease(Connection writer) throws IOException {
        if (!take(writer)) {
            return false;
        }
        connections.execute(writer, "ROLLBACK");
        return true;
    }

    /**
     * Polls for the write lock. SQLite's busy handler sleeps so long between its attempts that other writers would
     * starve it.
     */
    private boolean take(Connection writer) throws IOException {
        long deadline = System.nanoTime() + busyTimeout.toNanos();
        connections.execute(writer, "PRAGMA busy_timeout=0");
        try {
            while (true) {
                try {
                    OwnConnections.run(writer, "BEGIN IMMEDIATE");
                    return true;
                } catch (SQLException e) {
                    if (!SqliteErrors.isBusy(e)) {
                        throw connections.failure("cannot take the write lock", e);
                    }
                    if (System.nanoTime() - deadline > 0) {
                        return false;
                    }
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
        } finally {
            connections.execute(writer, "PRAGMA busy_timeout=" + busyTimeout.toMillis());
        }
    }
}
