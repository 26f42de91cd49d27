package org.litestream4j.internal.jdbc;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Queues the application's writers. SQLite's write lock has no order: a connection that finds the lock taken sleeps and
 * retries, and may be overtaken for seconds. Here, writers wait in the order of their arrival. The queue is only an
 * optimization; SQLite's lock protects the database. A turn that takes too long passes to the next writer, and a writer
 * that times out proceeds to SQLite without a turn. Thread-safe.
 */
final class WriteQueue {

    /** Time for which one writer may continue while others wait; each change of the writer costs the pages in its cache. */
    private static final long MAX_STREAK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** Time in which each waiting writer gets its turn, unless there are so many that turns end immediately. */
    private static final long ROUND_NANOS = TimeUnit.MILLISECONDS.toNanos(400);

    /** Time within which a returning writer continues its series of turns. */
    private static final long BREAK_NANOS = TimeUnit.MICROSECONDS.toNanos(300);

    /** Interval at which the first waiting writer checks whether the last writer still returns. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /**
     * Maximum duration of a turn. A longer transaction holds SQLite's lock, or its end was not noticed; waiting for it
     * is left to SQLite.
     */
    private static final Duration MAX_TURN = Duration.ofMillis(200);

    private final long longestTurnNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();

    /** The writer whose turn it is; null if there is none. */
    private @Nullable Object writer;

    /** The writer of the last turn, the start of its series, and whether it keeps returning. */
    private @Nullable Object latest;

    private long streakBegan;
    private boolean comesBack;

    private long turnBegan;
    private long turnEnded;
    private long waited;

    /** A writer in the queue. */
    private static final class Waiter {
        private final Object writer;
        private final Condition first;

        Waiter(Object writer, Condition first) {
            this.writer = writer;
            this.first = first;
        }
    }

    WriteQueue() {
        this(MAX_TURN);
    }

    /** @param longestTurn duration after which a turn passes to the next writer */
    WriteQueue(Duration longestTurn) {
        this.longestTurnNanos = longestTurn.toNanos();
    }

    /**
     * Waits for a turn, which ends with {@link #end}. Returns without a turn after the timeout, or when the thread is
     * interrupted, which leaves its interrupt status set.
     */
    void await(Object newWriter, long timeoutNanos) {
        lock.lock();
        try {
            long now = System.nanoTime();
            if (writer == newWriter || (writer == null && (waiting.isEmpty() || mayContinue(newWriter, now)))) {
                begin(newWriter, now);
            } else {
                enqueue(new Waiter(newWriter, lock.newCondition()), now + timeoutNanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private void enqueue(Waiter waiter, long deadline) throws InterruptedException {
        waiting.add(waiter);
        waited++;
        try {
            long now = System.nanoTime();
            while (now - deadline < 0) {
                long left = deadline - now;
                if (waiting.peek() == waiter) {
                    long due = nanosUntilNext(now);
                    if (due <= 0) {
                        begin(waiter.writer, now);
                        return;
                    }
                    left = Math.min(left, due);
                }
                waiter.first.awaitNanos(left);
                now = System.nanoTime();
            }
        } finally {
            waiting.remove(waiter);
            wakeFirst();
        }
    }

    /** Returns the time until the first waiting writer may begin, or should check again. */
    private long nanosUntilNext(long now) {
        if (writer != null) {
            long left = turnBegan + longestTurnNanos - now;
            return comesBack ? Math.min(left, LOOK_NANOS) : left;
        }
        return comesBack ? Math.min(turnEnded + BREAK_NANOS, streakBegan + streak()) - now : 0;
    }

    private boolean mayContinue(Object newWriter, long now) {
        return newWriter == latest && now - turnEnded < BREAK_NANOS && now - streakBegan < streak();
    }

    private long streak() {
        return Math.min(MAX_STREAK_NANOS, ROUND_NANOS / (waiting.size() + 1));
    }

    private void begin(Object newWriter, long now) {
        comesBack = mayContinue(newWriter, now);
        if (!comesBack) {
            streakBegan = now;
        }
        writer = newWriter;
        latest = newWriter;
        turnBegan = now;
    }

    /** Ends a turn; does nothing if the writer has no turn or has lost it. */
    void end(Object oldWriter) {
        lock.lock();
        try {
            if (writer == oldWriter) {
                writer = null;
                turnEnded = System.nanoTime();
                if (!comesBack || turnEnded - streakBegan >= streak()) {
                    wakeFirst(); // otherwise it polls: a wake-up at each commit would cost more than the commit
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void wakeFirst() {
        Waiter first = waiting.peek();
        if (first != null) {
            first.first.signal();
        }
    }

    /** Returns how often a writer had to wait for its turn. */
    long waited() {
        lock.lock();
        try {
            return waited;
        } finally {
            lock.unlock();
        }
    }
}
