package org.litestream4j.replica;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/** Stops long-running work, of one or several threads, soon after a request and without interrupts. Thread-safe. */
public final class StopSignal implements ResumingInputStream.ReadControl {

    private final ReentrantLock lock = new ReentrantLock();

    private final Condition wake = lock.newCondition();

    private final BooleanSupplier cancelled;

    @GuardedBy("lock")
    private boolean stopped;

    public StopSignal() {
        this(() -> false);
    }

    /** @param cancelled polled in addition to the signal, by several threads; returns true to stop */
    public StopSignal(BooleanSupplier cancelled) {
        this.cancelled = cancelled;
    }

    /** Stops the work, and ends all pauses. */
    public void stop() {
        lock.lock();
        try {
            stopped = true;
            wake.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Allows work again after {@link #stop}. */
    public void resume() {
        lock.lock();
        try {
            stopped = false;
        } finally {
            lock.unlock();
        }
    }

    public boolean isStopped() {
        lock.lock();
        try {
            if (stopped) {
                return true;
            }
        } finally {
            lock.unlock();
        }
        return cancelled.getAsBoolean();
    }

    /** @throws StoppedException if the work is stopped */
    @Override
    public void check() throws StoppedException {
        if (isStopped()) {
            throw new StoppedException();
        }
    }

    /** Pauses until the time has passed or the work is stopped. An interrupt ends the pause; its status remains set. */
    @Override
    public void pause(long millis) {
        long left = TimeUnit.MILLISECONDS.toNanos(millis);
        lock.lock();
        try {
            while (left > 0 && !stopped) {
                left = wake.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /** Thrown if the work was stopped. */
    public static final class StoppedException extends IOException {

        private static final long serialVersionUID = 1L;

        public StoppedException() {
            super("stopped");
        }
    }
}
