package org.litestream4j.internal.jdbc;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CheckpointMode;

/**
 * The moments in which the engine holds SQLite's write lock. A transaction that has read and then writes would fail in them at
 * once, as SQLite does not call its busy handler there; so the application's connections wait here for their end before they
 * write. The engine writes nothing meanwhile: what they have read stays the newest. Thread-safe.
 */
final class WriteLock implements CaptureListener {

    private static final long LONGEST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final CaptureListener next;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();
    private volatile boolean held;

    /** @param next told of everything, too */
    WriteLock(CaptureListener next) {
        this.next = next;
    }

    /** Only while it is held, so that nobody who waits here can be the one the engine waits for. */
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
    public void checkpointed(CheckpointMode mode, long nanos, boolean done) {
        next.checkpointed(mode, nanos, done);
    }

    /** Returns when it is not held, or after some seconds, or when the thread is interrupted, which it stays. */
    void awaitRelease() {
        if (!held) {
            return;
        }
        long left = LONGEST_WAIT_NANOS;
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
