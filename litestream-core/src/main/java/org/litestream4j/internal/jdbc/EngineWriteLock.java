package org.litestream4j.internal.jdbc;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CheckpointLocking;

/**
 * The times in which the engine holds SQLite's write lock. A transaction that has read and then writes would fail
 * immediately, because SQLite does not call its busy handler in that case. Therefore, the application's connections
 * wait here before they write. The engine writes nothing in the meantime, so that the data they have read remains
 * current. Thread-safe.
 */
final class EngineWriteLock implements CaptureListener {

    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final CaptureListener next;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();
    private volatile boolean held;

    /** @param next receives the same calls */
    EngineWriteLock(CaptureListener next) {
        this.next = next;
    }

    /** Called only while the lock is held, so that no thread waiting here can be one that the engine waits for. */
    @Override
    public void writeLockTaken() {
        held = true;
        next.writeLockTaken();
    }

    @Override
    public void writeLockHeld(long nanos) {
        if (held) {
            lock.lock();
            try {
                held = false;
                released.signalAll();
            } finally {
                lock.unlock();
            }
        }
        next.writeLockHeld(nanos);
    }

    @Override
    public void checkpointed(CheckpointLocking mode, long nanos, boolean done) {
        next.checkpointed(mode, nanos, done);
    }

    /**
     * Waits until the lock is released. Returns after several seconds in any case, and when the thread is interrupted,
     * which leaves its interrupt status set.
     */
    void awaitRelease() {
        if (!held) {
            return;
        }
        long left = MAX_WAIT_NANOS;
        lock.lock();
        try {
            while (held && left > 0) {
                left = released.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }
}
