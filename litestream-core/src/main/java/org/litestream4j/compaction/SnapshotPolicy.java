package org.litestream4j.compaction;

import java.time.Duration;
import org.litestream4j.ltx.Txid;

/** Decides when a database gets its next snapshot. */
final class SnapshotPolicy {

    /**
     * First transaction that can be a change: transaction 1 is the snapshot of the first image, and transaction 2
     * changes nothing.
     */
    private static final Txid FIRST_CHANGE = new Txid(3);

    private final ReplicaIndex index;
    private final Inputs inputs;
    private final long interval;

    SnapshotPolicy(ReplicaIndex index, Inputs inputs, Duration interval) {
        this.index = index;
        this.inputs = inputs;
        this.interval = interval.toMillis();
    }

    /** Returns whether the database has changed since the newest snapshot. */
    boolean isChanged(Txid replicated) {
        LevelFiles snapshots = index.snapshots();
        return snapshots.count() == 0
                ? !replicated.isNone()
                : replicated.isAfter(snapshots.newest()) && !replicated.isBefore(FIRST_CHANGE);
    }

    /**
     * Returns the time at which the next snapshot is due, in milliseconds since the epoch; {@link Long#MAX_VALUE} if
     * nothing has changed.
     */
    long nextDue(long now, Txid replicated) {
        LevelFiles snapshots = index.snapshots();
        if (!isChanged(replicated)) {
            return Long.MAX_VALUE;
        }
        if (snapshots.count() == 0 || inputs.snapshotNeeded().isAfter(snapshots.newest())) {
            return now;
        }
        long window = now - Math.floorMod(now, interval);
        long newest = snapshots.newestTimestamp();
        return newest < window || newest > now ? now : window + interval; // the timestamp is the time of the snapshot
    }
}
