package org.litestream4j.internal.jdbc;

import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Holds back the application's connections between two transactions while the database is replaced. Opens automatically
 * after a time limit, even if the thread that closed it is delayed: the replacement is one transaction and does not
 * need the gate for correctness. Thread-safe.
 */
final class ConnectionGate {

    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition opened = lock.newCondition();
    private volatile boolean shut;
    private volatile long shutUntil;

    /** @param limit time after which the gate opens */
    void shut(Duration limit) {
        shutUntil = System.nanoTime() + limit.toNanos();
        shut = true;
    }

    void open() {
        lock.lock();
        try {
            shut = false;
            opened.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean isShut() {
        return shut && System.nanoTime() - shutUntil < 0;
    }

    /** Waits while the gate is closed; costs one read of a field if it is open. */
    void pass() throws SQLTransientConnectionException {
        if (!isShut()) {
            return;
        }
        long left = MAX_WAIT_NANOS;
        lock.lock();
        try {
            while (isShut()) {
                if (left <= 0) {
                    throw new SQLTransientConnectionException(
                            "the database is being restored in place; try again when that is done");
                }
                long step = Math.max(1, Math.min(left, shutUntil - System.nanoTime()));
                left -= step - opened.awaitNanos(step);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted while the database is restored in place", e);
        } finally {
            lock.unlock();
        }
    }
}
