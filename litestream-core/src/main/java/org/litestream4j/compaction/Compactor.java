package org.litestream4j.compaction;

import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.compaction.Inputs.Batch;
import org.litestream4j.compaction.Inputs.DamagedInputException;
import org.litestream4j.compaction.Inputs.Opened;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxMerger;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges the files of each level into the next one, once in each interval of that level. Intervals are aligned to the
 * clock. A single file is not merged until there is a second one. Not thread-safe.
 */
final class Compactor {

    private static final Logger log = LoggerFactory.getLogger(Compactor.class);

    private final ReplicaClient client;
    private final ReplicaIndex index;
    private final Levels levels;
    private final PageEncoding encoding;
    private final Inputs inputs;
    private final VerifiedUpload upload;
    private final Merging merging;

    /** Start of the interval in which each level was last merged into, by level. */
    private final long[] mergedIn;

    // Counters by level.
    private final long[] merges;
    private final long[] mergedBytes;
    private final long[] mergeNanos;

    private boolean gap;

    Compactor(
            ReplicaClient client,
            ReplicaIndex index,
            Levels levels,
            PageEncoding encoding,
            Inputs inputs,
            VerifiedUpload upload,
            Merging merging) {
        this.client = client;
        this.index = index;
        this.levels = levels;
        this.encoding = encoding;
        this.inputs = inputs;
        this.upload = upload;
        this.merging = merging;
        this.mergedIn = new long[levels.highest() + 1];
        Arrays.fill(mergedIn, Long.MIN_VALUE);
        this.merges = new long[levels.highest() + 1];
        this.mergedBytes = new long[levels.highest() + 1];
        this.mergeNanos = new long[levels.highest() + 1];
    }

    /** Returns the number of merges into a level; 0 for levels that are not merged into. */
    long merges(int level) {
        return level < merges.length ? merges[level] : 0;
    }

    long mergedBytes(int level) {
        return level < merges.length ? mergedBytes[level] : 0;
    }

    long mergeNanos(int level) {
        return level < merges.length ? mergeNanos[level] : 0;
    }

    /**
     * Merges into every level that is due.
     *
     * @param now milliseconds since the epoch
     * @param force whether to treat all levels as due
     */
    void run(long now, boolean force) throws IOException {
        for (int level = 1; level <= levels.highest(); level++) {
            if (inputs.waiting(level) > 1 && (force || isDue(level, now))) {
                mergeInto(level);
                mergedIn[level] = window(level, now);
            }
        }
    }

    /** Returns the time of the next merge, in milliseconds since the epoch; {@link Long#MAX_VALUE} if no files wait for one. */
    long nextDue(long now) {
        long next = Long.MAX_VALUE;
        for (int level = 1; level <= levels.highest(); level++) {
            if (inputs.waiting(level) > 1) {
                next = Math.min(next, isDue(level, now) ? now : window(level, now) + levels.interval(level));
            }
        }
        return next;
    }

    private boolean isDue(int level, long now) {
        long window = window(level, now);
        LevelFiles files = index.level(level);
        if (window == mergedIn[level]) {
            return false;
        }
        if (files.count() == 0) { // excludes the file with which this interval began
            long oldest = index.level(level - 1).timestamp(0);
            return oldest < window || oldest > now;
        }
        long newest = files.newestTimestamp();
        return newest <= window || newest > now; // timestamp in the future: the clock was set back
    }

    private long window(int level, long now) {
        return now - Math.floorMod(now, levels.interval(level));
    }

    /** Merges all waiting files, even if they belong to several intervals. */
    private void mergeInto(int level) throws IOException {
        inputs.checkMerged();
        while (inputs.waiting(level) > 1) {
            Batch batch = inputs.choose(level);
            if (batch.files().isEmpty() || (batch.files().size() == 1 && !batch.bounded())) {
                return;
            }
            try {
                if (merging.run(level, () -> merge(level, batch)) == null) {
                    return;
                }
            } catch (DamagedInputException e) {
                log.warn("input of a merge is damaged: level={} problem={}", level, e.getMessage());
            }
        }
        inputs.forget();
    }

    private @Nullable LtxFileInfo merge(int level, Batch batch) throws IOException {
        long begun = System.nanoTime();
        Opened opened = inputs.open(batch);
        List<LtxReader> readers = opened.readers();
        Txid before = index.level(level).newest();
        try (LtxMerger merger = LtxMerger.open(readers)) {
            if (readers.size() == 1 && !opened.bounded()) {
                return null;
            }
            LtxFileInfo merged = upload.publish(
                    level,
                    merger.header().fileName(),
                    Instant.ofEpochMilli(merger.header().timestampMillis()),
                    opened.databaseChecksum(),
                    merger.stream(encoding),
                    "merge to " + client.url() + " level " + level);
            merges[level]++;
            mergedBytes[level] += merged.size();
            mergeNanos[level] += System.nanoTime() - begun;
            checkContiguous(before, merged);
            return merged;
        } catch (LtxFormatException e) {
            throw inputs.noteDamage(batch, e);
        }
    }

    /** Returns whether a merged file did not continue its level since the last call. */
    boolean takeGap() {
        boolean found = gap;
        gap = false;
        return found;
    }

    private void checkContiguous(Txid before, LtxFileInfo merged) {
        if (!before.isNone() && !merged.name().continues(before)) {
            gap = true;
            log.warn(
                    "level has a gap: replica={} level={} txid={} before={}; states in the gap cannot be restored, later"
                            + " ones only from a snapshot",
                    client.url(),
                    merged.level(),
                    merged.name(),
                    before);
        }
    }
}
