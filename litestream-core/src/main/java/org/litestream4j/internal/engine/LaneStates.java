package org.litestream4j.internal.engine;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.replication.ReplicaComparison;

/** The states of one database's lanes. Each lane publishes its own state and reads those of the others. Thread-safe. */
final class LaneStates {

    /** Called after each change, on the thread that published it. Must be fast and must not throw. */
    @FunctionalInterface
    interface Subscriber {
        void changed(View before, View after);
    }

    /**
     * All states at one moment.
     *
     * @param conflict whether another program writes to the replica, so that all lanes stop
     */
    record View(CaptureState capture, UploadState upload, CompactionState compaction, boolean conflict) {

        static final View INITIAL = new View(CaptureState.INITIAL, UploadState.INITIAL, CompactionState.INITIAL, false);

        /**
         * Returns the current relation between the replica and the local files. A full image that was taken since the
         * comparison continues the replica. Null if unknown.
         */
        @Nullable
        ReplicaComparison comparison() {
            ReplicaComparison found = upload.comparison();
            if (found == null || upload.localStates() != capture.localStates()) {
                return null;
            }
            return capture.imagedComparison() == upload.number()
                    ? ReplicaComparison.continues(found.replicaNewest())
                    : found;
        }

        /** Returns whether the captured files continue the replica, so that their positions can be compared. */
        boolean isContinuing() {
            ReplicaComparison found = comparison();
            return found != null && !found.diverged() && upload.followed() == upload.number();
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();
    private volatile View now = View.INITIAL; // written under the lock

    /** Adds a subscriber. Call before any state is published. */
    void subscribe(Subscriber subscriber) {
        subscribers.add(subscriber);
    }

    View now() {
        return now;
    }

    void publish(CaptureState state) {
        replace(before -> new View(state, before.upload(), before.compaction(), before.conflict()));
    }

    void publish(UploadState state) {
        replace(before -> new View(before.capture(), state, before.compaction(), before.conflict()));
    }

    void publish(CompactionState state) {
        replace(before -> new View(before.capture(), before.upload(), state, before.conflict()));
    }

    void publishConflict() {
        replace(before -> new View(before.capture(), before.upload(), before.compaction(), true));
    }

    private void replace(UnaryOperator<View> change) {
        View before;
        View after;
        lock.lock();
        try {
            before = now;
            after = change.apply(before);
            now = after;
        } finally {
            lock.unlock();
        }
        if (!after.equals(before)) {
            for (Subscriber subscriber : subscribers) {
                subscriber.changed(before, after);
            }
        }
    }
}
