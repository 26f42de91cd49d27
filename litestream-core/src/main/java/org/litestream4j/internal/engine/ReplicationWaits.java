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
 * Those who wait until what they committed is on the replica: first for a capture that begins after their commit, then for the
 * upload of its transaction. Each sleeps until its own turn has come. Thread-safe.
 */
final class ReplicationWaits {

    /** What a wait asks of the capture lane. */
    enum Urgency {
        /** A capture at once. */
        NOW,
        /** A capture as soon as no upload is going on: all who come meanwhile share one file. */
        NEXT_UPLOAD,
        /** Nothing: the next regular capture will do. */
        NEXT_SYNC
    }

    /** One of them. */
    static final class Wait {
        private final long ticket;
        private final Condition turn;

        // Guarded by the lock of the waits.
        private @Nullable Txid txid;
        private boolean over;

        private Wait(long ticket, Condition turn) {
            this.ticket = ticket;
            this.turn = turn;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Deque<Wait> uncaptured = new ArrayDeque<>(); // in the order of the tickets

    @GuardedBy("lock")
    private final Deque<Wait> unreplicated = new ArrayDeque<>(); // in the order of the TXIDs

    @GuardedBy("lock")
    private final Map<Urgency, Long> asked = new EnumMap<>(Urgency.class); // newest ticket of each

    @GuardedBy("lock")
    private long newest;

    @GuardedBy("lock")
    private long served;

    @GuardedBy("lock")
    private Txid replicated = Txid.NONE;

    /** Who came back from an upload will soon commit again; that many are worth waiting for, until then. */
    @GuardedBy("lock")
    private int expected;

    @GuardedBy("lock")
    private long expectedUntil;

    @GuardedBy("lock")
    private long capturedAt = System.nanoTime();

    /** Call after the commit has returned, then wake the capture lane, then {@link #await}. */
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
     * Waits; the wait is over when this returns.
     *
     * @param ask longest time until {@code hopeless} is asked again
     * @param hopeless whether there is nothing to wait for; asked at the beginning, and after each {@link #reconsider}
     * @return whether it was replicated; false if that is hopeless, or did not happen in time
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

    /** The transaction that must be on the replica; null as long as it is not captured. */
    @Nullable
    Txid txid(Wait wait) {
        lock.lock();
        try {
            return wait.txid;
        } finally {
            lock.unlock();
        }
    }

    /** Lets each look whether waiting still makes sense. */
    void reconsider() {
        lock.lock();
        try {
            uncaptured.forEach(wait -> wait.turn.signal());
            unreplicated.forEach(wait -> wait.turn.signal());
        } finally {
            lock.unlock();
        }
    }

    /** Whether anybody waits. */
    boolean isAnyone() {
        lock.lock();
        try {
            return !uncaptured.isEmpty() || !unreplicated.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Whether anybody has asked for that and is not captured yet, still waiting or not. */
    boolean wants(Urgency urgency) {
        lock.lock();
        try {
            return asked.getOrDefault(urgency, 0L) > served;
        } finally {
            lock.unlock();
        }
    }

    /**
     * How long a capture for the next upload should wait for others to come: those whom the last upload released, but no longer
     * than a quarter of what it took. Without that, two halves of the committers would take turns.
     *
     * @return in nanoseconds; 0 if all are there, or it has waited long enough
     */
    long nanosToGather() {
        lock.lock();
        try {
            return uncaptured.size() >= expected ? 0 : Math.max(0, expectedUntil - System.nanoTime());
        } finally {
            lock.unlock();
        }
    }

    /** Whether the capture lane must hear of the newest: it is the first, or the last to gather. */
    boolean isTurn() {
        lock.lock();
        try {
            return uncaptured.size() == 1 || nanosToGather() == 0;
        } finally {
            lock.unlock();
        }
    }

    /** The newest ticket: a capture that begins after this call has what its owner committed. */
    long newest() {
        lock.lock();
        try {
            return newest;
        } finally {
            lock.unlock();
        }
    }

    /** All up to a ticket are captured, in transactions up to this one. */
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

    /** Nothing that was captured counts until {@link #restarted}: it does not lead to the database. */
    void withhold() {
        lock.lock();
        try {
            unreplicated.forEach(wait -> wait.txid = null);
        } finally {
            lock.unlock();
        }
    }

    /** An image has taken the place of all that was captured, and of the TXIDs of what is not replicated. */
    void restarted(Txid image) {
        lock.lock();
        try {
            unreplicated.forEach(wait -> wait.txid = image);
        } finally {
            lock.unlock();
        }
    }

    /** All transactions up to this one are on the replica. */
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
