package org.litestream4j.internal.jdbc;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConnection;

/** The application's connections to one database that were opened through the wrapped DataSource. Thread-safe. */
final class PhysicalConnections {

    private static final Logger log = LoggerFactory.getLogger(PhysicalConnections.class);

    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition closed = lock.newCondition();
    private final Map<SQLiteConnection, PhysicalConnection> open =
            new HashMap<>(); // by identity: they define no equality

    void opened(SQLiteConnection connection, PhysicalConnection seenAs) {
        lock.lock();
        try {
            open.put(connection, seenAs);
        } finally {
            lock.unlock();
        }
    }

    /** Returns the wrapper of an open connection; null if there is none. */
    @Nullable
    PhysicalConnection find(SQLiteConnection connection) {
        lock.lock();
        try {
            return open.get(connection);
        } finally {
            lock.unlock();
        }
    }

    void closed(SQLiteConnection connection) {
        lock.lock();
        try {
            open.remove(connection);
            closed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    int count() {
        lock.lock();
        try {
            return open.size();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until all connections are closed, then closes those that are still open. */
    void drain(Duration timeout) {
        List<SQLiteConnection> left = awaitNone(timeout);
        if (!left.isEmpty()) {
            log.warn("closing connections that the application left open: count={}", left.size());
        }
        for (SQLiteConnection connection : left) {
            try {
                connection.getDatabase().interrupt(); // SQLite's interrupt, which ends a running statement
                connection.close();
            } catch (SQLException e) {
                log.debug("closing a connection of the application failed", e);
            }
            closed(connection);
        }
    }

    private List<SQLiteConnection> awaitNone(Duration timeout) {
        long left = timeout.toNanos();
        boolean interrupted = false;
        lock.lock();
        try {
            while (!open.isEmpty() && left > 0) {
                try {
                    long step = Math.min(left, LOOK_NANOS);
                    left -= step - closed.awaitNanos(step);
                    open.keySet().removeIf(PhysicalConnections::isClosed);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            return new ArrayList<>(open.keySet());
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Returns whether a connection is closed, even if it was closed without its wrapper, as by a {@code DataSource}
     * with a single shared connection.
     */
    private static boolean isClosed(SQLiteConnection connection) {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return false;
        }
    }
}
