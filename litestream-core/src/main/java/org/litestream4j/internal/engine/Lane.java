package org.litestream4j.internal.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A task that runs on a shared pool, never concurrently with itself. {@link #wake} makes it run once soon, regardless
 * of how often it is called before the run begins. A run that cannot be started, or that throws, is retried until it
 * succeeds. Thread-safe; never interrupts.
 */
final class Lane {

    private static final Logger log = LoggerFactory.getLogger(Lane.class);

    /** Pause before a run that could not be started, or that threw, is retried. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private enum State {
        IDLE,
        QUEUED,
        RUNNING,
        /** Running, and to be run again. */
        RUNNING_AGAIN
    }

    /**
     * Receives failures to start the lane's task, and the end of such an outage. Called on the thread that detected the
     * failure.
     */
    interface StartListener {
        void startFailed(Throwable e);

        void started();
    }

    private final Runnable task;
    private final StartListener starts;
    private final Pools.Pool pool;
    private final ScheduledExecutorService timer;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();

    @GuardedBy("lock")
    private State state = State.IDLE;

    @GuardedBy("lock")
    private boolean stopped;

    @GuardedBy("lock")
    private @Nullable Runnable last;

    @GuardedBy("lock")
    private @Nullable ScheduledFuture<?> wakeUp;

    @GuardedBy("lock")
    private long wakeUpAt;

    @GuardedBy("lock")
    private @Nullable Throwable startFailure;

    Lane(Runnable task, StartListener starts, Pools.Pool pool, ScheduledExecutorService timer) {
        this.task = task;
        this.starts = starts;
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
                enqueue();
            } else if (state == State.RUNNING) {
                state = State.RUNNING_AGAIN;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Wakes the lane after a delay, unless an earlier wake-up is already scheduled. */
    void wakeIn(long nanos) {
        if (nanos <= 0) {
            wake();
            return;
        }
        lock.lock();
        try {
            if (!stopped) {
                schedule(nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void schedule(long nanos) {
        long at = System.nanoTime() + nanos;
        if (wakeUp != null && wakeUpAt - at <= 0) {
            return;
        }
        if (wakeUp != null) {
            wakeUp.cancel(false);
            wakeUp = null;
        }
        try {
            wakeUp = timer.schedule(this::wakeUp, nanos, TimeUnit.NANOSECONDS);
            wakeUpAt = at;
        } catch (RejectedExecutionException e) { // the pools are closed
            log.debug("wake-up after shutdown ignored", e);
        }
    }

    /**
     * Queues a run. If no thread can be started (process limit reached, or no memory), the existing thread of the timer
     * reports that and retries.
     */
    @GuardedBy("lock")
    private void enqueue() {
        state = State.QUEUED;
        try {
            pool.execute(this::run);
        } catch (Throwable e) {
            state = State.IDLE;
            idle.signalAll();
            startFailure = e;
            schedule(RETRY_NANOS);
        }
    }

    /**
     * Prevents further runs.
     *
     * @param timeout longest wait for the current run
     * @return whether the current run has ended
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

    /**
     * Prevents further runs, and runs a last action on a thread of the pool after the current run has ended, without a
     * time limit. Call once.
     */
    void end(Runnable action) {
        lock.lock();
        try {
            stopped = true;
            if (wakeUp != null) {
                wakeUp.cancel(false);
            }
            last = action;
            if (state == State.IDLE) {
                enqueueLast();
            } // otherwise the queued or current run executes it at its end
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void enqueueLast() {
        state = State.QUEUED;
        try {
            pool.execute(this::run);
        } catch (Throwable e) {
            log.warn("cannot start a thread of the pool, using the timer's thread", e);
            timer.execute(this::run);
        }
    }

    private void wakeUp() {
        Throwable failure;
        lock.lock();
        try {
            wakeUp = null;
            failure = startFailure;
            wake();
        } finally {
            lock.unlock();
        }
        if (failure != null) {
            starts.startFailed(failure);
        }
    }

    private void run() {
        if (!begin()) {
            return;
        }
        boolean failed = true;
        try {
            task.run();
            failed = false;
        } catch (Throwable e) { // the task's own error handling failed
            log.error("a lane failed, will retry", e);
        } finally {
            end(failed);
        }
    }

    /** Begins a run; a run that was queued twice, because queueing seemed to fail, begins only once. */
    private boolean begin() {
        boolean restarted;
        lock.lock();
        try {
            if (state != State.QUEUED) {
                return false;
            }
            if (stopped) {
                finish();
                return false;
            }
            state = State.RUNNING;
            restarted = startFailure != null;
            startFailure = null;
        } finally {
            lock.unlock();
        }
        if (restarted) {
            reportStarted();
        }
        return true;
    }

    private void reportStarted() {
        try {
            starts.started();
        } catch (Throwable e) {
            log.error("reporting the end of an outage failed", e);
        }
    }

    private void end(boolean failed) {
        lock.lock();
        try {
            if (stopped) {
                finish();
            } else if (state == State.RUNNING_AGAIN && !failed) {
                enqueue();
            } else {
                state = State.IDLE;
                idle.signalAll();
                if (failed) {
                    schedule(RETRY_NANOS);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Runs the last action on a thread of the pool, without holding the lock. */
    @GuardedBy("lock")
    private void finish() {
        Runnable action = last;
        last = null;
        if (action != null) {
            state = State.RUNNING;
            lock.unlock();
            try {
                action.run();
            } catch (Throwable e) {
                log.error("the last action of a lane failed", e);
            } finally {
                lock.lock();
            }
        }
        state = State.IDLE;
        idle.signalAll();
    }
}
