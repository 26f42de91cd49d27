package org.litestream4j;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A task that runs on a shared pool, never twice at once: {@link #wake} makes it run soon, once, however often it is called
 * before it begins. Thread-safe; never interrupts.
 */
final class Lane {

    private enum State {
        IDLE,
        QUEUED,
        RUNNING,
        /** Running, and to run once more. */
        RUNNING_AGAIN
    }

    private final Runnable task;
    private final Executor pool;
    private final ScheduledExecutorService timer;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private State state = State.IDLE;
    private boolean stopped;
    private @Nullable ScheduledFuture<?> wakeUp;
    private long wakeUpAt;

    /** @param task must not throw */
    Lane(Runnable task, Executor pool, ScheduledExecutorService timer) {
        this.task = task;
        this.pool = pool;
        this.timer = timer;
    }

    void wake() {
        lock.lock();
        try {
            if (stopped) {
                return;
            }
            if (state == State.IDLE) {
                state = State.QUEUED;
                pool.execute(this::run);
            } else if (state == State.RUNNING) {
                state = State.RUNNING_AGAIN;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Wakes after a delay, unless an earlier wake-up is scheduled already. */
    void wakeIn(long nanos) {
        if (nanos <= 0) {
            wake();
            return;
        }
        lock.lock();
        try {
            long at = System.nanoTime() + nanos;
            if (stopped || (wakeUp != null && wakeUpAt - at <= 0)) {
                return;
            }
            if (wakeUp != null) {
                wakeUp.cancel(false);
            }
            wakeUpAt = at;
            wakeUp = timer.schedule(this::wakeUp, nanos, TimeUnit.NANOSECONDS);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Lets the task run no more.
     *
     * @param timeout longest wait for a run that is going on
     * @return whether it is over
     */
    boolean stop(Duration timeout) {
        boolean interrupted = false;
        lock.lock();
        try {
            stopped = true;
            if (wakeUp != null) {
                wakeUp.cancel(false);
            }
            long left = timeout.toNanos();
            while (state != State.IDLE && left > 0) {
                try {
                    left = idle.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            return state == State.IDLE;
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void wakeUp() {
        lock.lock();
        try {
            wakeUp = null;
            wake();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        if (!begin()) {
            return;
        }
        try {
            task.run();
        } finally {
            end();
        }
    }

    private boolean begin() {
        lock.lock();
        try {
            if (stopped) {
                state = State.IDLE;
                idle.signalAll();
                return false;
            }
            state = State.RUNNING;
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void end() {
        lock.lock();
        try {
            if (state == State.RUNNING_AGAIN && !stopped) {
                state = State.QUEUED;
                pool.execute(this::run);
            } else {
                state = State.IDLE;
                idle.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }
}
