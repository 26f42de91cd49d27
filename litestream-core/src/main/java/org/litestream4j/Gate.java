package org.litestream4j;

import java.sql.SQLTransientConnectionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Holds back the application's connections between two transactions while the database is replaced. Thread-safe. */
final class Gate {

    private static final long LONGEST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition opened = lock.newCondition();
    private volatile boolean shut;

    void shut() {
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
        return shut;
    }

    /** Waits while the gate is shut; a moment's read if it is not. */
    void pass() throws SQLTransientConnectionException {
        if (!shut) {
            return;
        }
        long left = LONGEST_WAIT_NANOS;
        lock.lock();
        try {
            while (shut) {
                if (left <= 0) {
                    throw new SQLTransientConnectionException(
                            "the database is being restored in place; try again when that is done");
                }
                left = opened.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("interrupted while the database is restored in place", e);
        } finally {
            lock.unlock();
        }
    }
}
