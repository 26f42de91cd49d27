package org.litestream4j.compaction;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.litestream4j.ltx.LtxFileName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Without tiers, several old snapshots are deleted only a day after the start: the tiers of another process, or of lost
 * settings, may have kept them. Not thread-safe.
 */
final class SnapshotGrace {

    private static final Logger log = LoggerFactory.getLogger(SnapshotGrace.class);

    private static final long GRACE_NANOS = TimeUnit.HOURS.toNanos(24);

    /** Age beyond the retention from which a snapshot is old. */
    private static final long OLD_MILLIS = TimeUnit.DAYS.toMillis(7);

    private final String url;
    private final CompactionSettings settings;
    private final LongSupplier nanoTime;
    private final long startedAt;
    private boolean begun;

    SnapshotGrace(String url, CompactionSettings settings, LongSupplier nanoTime) {
        this.url = url;
        this.settings = settings;
        this.nanoTime = nanoTime;
        this.startedAt = nanoTime.getAsLong();
    }

    /** Looks for old snapshots among those that are to be deleted. */
    void check(Collection<LtxFileName> unwanted, Map<LtxFileName, Long> timestamps, long now) {
        if (begun || !settings.snapshotKeep().isNone() || nanosLeft() <= 0) {
            return;
        }
        long limit = now - settings.snapshotRetention().toMillis() - OLD_MILLIS;
        long old = unwanted.stream()
                .filter(name -> timestamps.getOrDefault(name, now) < limit)
                .count();
        if (old > 1) {
            begun = true;
            log.warn(
                    "old snapshots are deleted 24 hours after the start, because litestream.snapshot.keep"
                            + " (--snapshot-keep) is not set: replica={} snapshots={}; if they are to stay, set it as in"
                            + " the process that has kept them",
                    url,
                    old);
        }
    }

    /** Returns whether snapshots must not be deleted yet. */
    boolean isActive() {
        return begun && nanosLeft() > 0;
    }

    /** Returns the time until the end, rounded up. */
    long remainingMillis() {
        return TimeUnit.NANOSECONDS.toMillis(nanosLeft()) + 1;
    }

    private long nanosLeft() {
        return GRACE_NANOS - (nanoTime.getAsLong() - startedAt);
    }
}
