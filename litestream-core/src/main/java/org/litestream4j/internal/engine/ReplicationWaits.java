package org.litestream4j.internal.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * Threads waiting for their commits to be replicated: first for a capture that begins after their commit, then for the
 * upload of its transaction. Each thread is woken only when its own wait is over. Thread-safe.
 */
final class ReplicationWaits {

    /** The capture that a wait requires. */
    enum Urgency {
        /** A capture immediately. */
        NOW,
        /** A capture as soon as no upload is running, so that all commits in the meantime share one file. */
        NEXT_UPLOAD,
        /** No additional capture; the next regular one is sufficient. */
        NEXT_SYNC
    }

    /** One waiting thread. */
    static final class Wait {
        private final long ticket;
        private final Condition turn;

        // Guarded by the lock of the enclosing object.
        private @Nullable Txid txid;
        private boolean over;

        private Wait(long ticket, Condition turn) {
            this.ticket = ticket;
            this.turn = turn;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Deque<Wait> uncaptured = new ArrayDeque<>(); // ordered by ticket

    @GuardedBy("lock")
    private final Deque<Wait> unreplicated = new ArrayDeque<>(); // ordered by TXID

    @GuardedBy("lock")
    private final Map<Urgency, Long> asked = new EnumMap<>(Urgency.class); // newest ticket of each urgency

    @GuardedBy("lock")
    private long newest;

    @GuardedBy("lock")
    private long served;

    @GuardedBy("lock")
    private Txid replicated = Txid.NONE;

    /**
     * Number of writers for which the next upload waits briefly: writers released by the last upload are likely to
     * commit again soon.
     */
    @GuardedBy("lock")
    private int expected;

    @GuardedBy("lock")
    private long expectedUntil;

    @GuardedBy("lock")
    private long capturedAt = System.nanoTime();

    /** Starts a wait. Call after the commit has returned, then wake the capture lane, then call {@link #await}. */
    Wait begin(Urgency urgency) {
        lock.lock();
        try {
            Wait wait = new Wait(++newest, lock.newCondition());
            asked.put(urgency, newest);
            uncaptured.add(wait);
            return wait;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits. The wait is over when this method returns.
     *
     * @param ask longest time until {@code hopeless} is polled again
     * @param hopeless returns whether waiting is pointless; polled at the beginning and after each
     *     {@link #reconsider}
     * @return whether the commit was replicated; false if waiting is pointless, or if the timeout has passed
     */
    boolean await(Wait wait, Duration timeout, Duration ask, BooleanSupplier hopeless) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        long left = timeout.toNanos();
        lock.lock();
        try {
            while (!wait.over && left > 0 && !hopeless.getAsBoolean()) {
                wait.turn.awaitNanos(Math.min(left, ask.toNanos()));
                left = deadline - System.nanoTime();
            }
            return wait.over;
        } finally {
            if (!wait.over) {
                remove(wait);
            }
            lock.unlock();
        }
    }

    private void remove(Wait wait) {
        lock.lock();
        try {
            uncaptured.remove(wait);
            unreplicated.remove(wait);
        } finally {
            lock.unlock();
        }
    }

    /** Returns the transaction that must be on the replica; null until it is captured. */
    @Nullable
    Txid txid(Wait wait) {
        lock.lock();
        try {
            return wait.txid;
        } finally {
            lock.unlock();
        }
    }

    /** Makes all waiting threads check whether waiting still makes sense. */
    void reconsider() {
        lock.lock();
        try {
            uncaptured.forEach(wait -> wait.turn.signal());
            unreplicated.forEach(wait -> wait.turn.signal());
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether any thread is waiting. */
    boolean isAnyone() {
        lock.lock();
        try {
            return !uncaptured.isEmpty() || !unreplicated.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether a request of this urgency is not captured yet, even if its thread no longer waits. */
    boolean wants(Urgency urgency) {
        lock.lock();
        try {
            return asked.getOrDefault(urgency, 0L) > served;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Returns how long a capture for the next upload should wait for more commits: until the writers released by the
     * last upload have committed again, but at most a quarter of the duration of that upload. Without this wait, two
     * halves of the writers would alternate.
     *
     * @return nanoseconds; 0 if all are present, or if the time has passed
     */
    long nanosToGather() {
        lock.lock();
        try {
            return uncaptured.size() >= expected ? 0 : Math.max(0, expectedUntil - System.nanoTime());
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether the capture lane must be woken for the newest wait, because it is the first or the last expected one. */
    boolean isTurn() {
        lock.lock();
        try {
            return uncaptured.size() == 1 || nanosToGather() == 0;
        } finally {
            lock.unlock();
        }
    }

    /** Returns the newest ticket. A capture that begins after this call contains the commit of its thread. */
    long newest() {
        lock.lock();
        try {
            return newest;
        } finally {
            lock.unlock();
        }
    }

    /** Records that all waits up to a ticket are captured, in transactions up to the given one. */
    void captured(long ticket, Txid txid) {
        lock.lock();
        try {
            served = Math.max(served, ticket);
            while (!uncaptured.isEmpty() && uncaptured.element().ticket <= ticket) {
                Wait wait = uncaptured.remove();
                wait.txid = txid;
                unreplicated.add(wait);
                capturedAt = System.nanoTime();
            }
            release();
        } finally {
            lock.unlock();
        }
    }

    /** Ignores all captures until {@link #restarted}, because the captured state does not lead to the database. */
    void withhold() {
        lock.lock();
        try {
            unreplicated.forEach(wait -> wait.txid = null);
        } finally {
            lock.unlock();
        }
    }

    /** Records that an image has replaced everything captured so far and reuses the TXIDs that are not replicated. */
    void restarted(Txid image) {
        lock.lock();
        try {
            unreplicated.forEach(wait -> wait.txid = image);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Records that no transaction is known to be on the replica, until {@link #replicated}: a later commit may reuse
     * the number of a transaction that was there.
     */
    void positionLost() {
        lock.lock();
        try {
            replicated = Txid.NONE;
        } finally {
            lock.unlock();
        }
    }

    /** Records that all transactions up to this one are on the replica. */
    void replicated(Txid txid) {
        lock.lock();
        try {
            replicated = txid;
            int released = release();
            if (released > 0) {
                long now = System.nanoTime();
                expected = released + uncaptured.size();
                expectedUntil = now + (now - capturedAt) / 4;
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private int release() {
        int released = 0;
        for (Wait wait = unreplicated.peek(); wait != null; wait = unreplicated.peek()) {
            if (wait.txid == null || wait.txid.isAfter(replicated)) {
                break;
            }
            unreplicated.remove();
            wait.over = true;
            wait.turn.signal();
            released++;
        }
        return released;
    }
}
