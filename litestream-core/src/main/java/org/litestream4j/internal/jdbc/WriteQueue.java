package org.litestream4j.internal.jdbc;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets the application's writers take turns. SQLite's write lock knows no order: who waits for it sleeps and tries again, and
 * may be overtaken for seconds. Here they wait in the order in which they came. It is a courtesy only, SQLite's lock is what
 * protects the database: a turn that lasts long is passed on, and who got none goes to SQLite without. Thread-safe.
 */
final class WriteQueue {

    /** For how long a writer goes on while others wait; each change of the writer costs it the pages it has cached. */
    private static final long LONGEST_STREAK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** In which each of those who wait gets its streak, unless they are so many that the streaks end at once. */
    private static final long ROUND_NANOS = TimeUnit.MILLISECONDS.toNanos(400);

    /** A writer that comes back within this time goes on with its streak. */
    private static final long BREAK_NANOS = TimeUnit.MICROSECONDS.toNanos(300);

    /** How often the first in the queue looks whether the writer still comes back. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** A longer transaction holds SQLite's lock, or its end was not seen: to wait for it is SQLite's business. */
    private static final Duration LONGEST_TURN = Duration.ofMillis(200);

    private final long longestTurnNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();

    /** Whose turn it is; null if nobody's. */
    private @Nullable Object writer;

    /** Whose turn it was last, since when, and whether it keeps coming back. */
    private @Nullable Object latest;

    private long streakBegan;
    private boolean comesBack;

    private long turnBegan;
    private long turnEnded;
    private long waited;

    /** One in the queue. */
    private static final class Waiter {
        private final Object writer;
        private final Condition first;

        Waiter(Object writer, Condition first) {
            this.writer = writer;
            this.first = first;
        }
    }

    WriteQueue() {
        this(LONGEST_TURN);
    }

    /** @param longestTurn which is passed on if it has not ended */
    WriteQueue(Duration longestTurn) {
        this.longestTurnNanos = longestTurn.toNanos();
    }

    /**
     * Waits for a turn, which ends with {@link #end}. Returns without one after a time, or when the thread is interrupted, which
     * it stays.
     */
    void await(Object newWriter, long timeoutNanos) {
        lock.lock();
        try {
            long now = System.nanoTime();
            if (writer == newWriter || (writer == null && (waiting.isEmpty() || goesOn(newWriter, now)))) {
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

    /** Until the first in the queue may begin, or should look again. */
    private long nanosUntilNext(long now) {
        if (writer != null) {
            long left = turnBegan + longestTurnNanos - now;
            return comesBack ? Math.min(left, LOOK_NANOS) : left;
        }
        return comesBack ? Math.min(turnEnded + BREAK_NANOS, streakBegan + streak()) - now : 0;
    }

    private boolean goesOn(Object newWriter, long now) {
        return newWriter == latest && now - turnEnded < BREAK_NANOS && now - streakBegan < streak();
    }

    private long streak() {
        return Math.min(LONGEST_STREAK_NANOS, ROUND_NANOS / (waiting.size() + 1));
    }

    private void begin(Object newWriter, long now) {
        comesBack = goesOn(newWriter, now);
        if (!comesBack) {
            streakBegan = now;
        }
        writer = newWriter;
        latest = newWriter;
        turnBegan = now;
    }

    /** Ends a turn; does nothing if the writer has none, or has it no longer. */
    void end(Object oldWriter) {
        lock.lock();
        try {
            if (writer == oldWriter) {
                writer = null;
                turnEnded = System.nanoTime();
                if (!comesBack || turnEnded - streakBegan >= streak()) {
                    wakeFirst(); // else it looks by itself: waking it at each commit would cost more than the commit
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

    /** How often a writer did not get its turn at once. */
    long waited() {
        lock.lock();
        try {
            return waited;
        } finally {
            lock.unlock();
        }
    }
}
