package org.litestream4j.compaction;

import java.util.BitSet;
import org.litestream4j.compaction.SnapshotKeep.Period;

/** Chooses the snapshots that {@link SnapshotKeep} keeps. */
final class KeptSnapshots {

    private final SnapshotKeep keep;

    KeptSnapshots(SnapshotKeep keep) {
        this.keep = keep;
    }

    /**
     * Returns the indexes of the snapshots to keep. Counts each snapshot by its own timestamp, and also by the latest
     * time at which it can have been written: they differ if a clock was wrong, and then both are kept.
     */
    BitSet of(LevelFiles snapshots, long now) {
        BitSet kept = new BitSet();
        if (keep.isNone()) {
            return kept;
        }
        long[] own = new long[snapshots.count()];
        for (int i = 0; i < own.length; i++) {
            own[i] = snapshots.timestamp(i);
        }
        long[] writtenBy = snapshots.writtenBy();
        for (Period period : Period.values()) {
            for (int ago = 0; ago < keep.count(period); ago++) {
                long start = period.start(now, ago);
                long end = period.start(now, ago - 1);
                choose(own, start, end, kept);
                choose(writtenBy, start, end, kept);
            }
        }
        return kept;
    }

    private static void choose(long[] times, long start, long end, BitSet kept) {
        int before = -1;
        for (int i = 0; i < times.length; i++) {
            if (times[i] >= start && times[i] < end) {
                kept.set(i);
                return;
            }
            if (times[i] < start) {
                before = i;
            }
        }
        if (before >= 0) {
            kept.set(before);
        }
    }

    /**
     * Returns the time at which the choice changes next without new snapshots, in milliseconds since the epoch; {@link
     * Long#MAX_VALUE} if never.
     */
    long nextChange(long now) {
        long next = Long.MAX_VALUE;
        for (Period period : Period.values()) {
            if (keep.count(period) > 0) {
                next = Math.min(next, period.start(now, -1));
            }
        }
        return next;
    }
}
