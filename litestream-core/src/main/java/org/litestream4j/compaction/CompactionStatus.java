package org.litestream4j.compaction;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;

/**
 * What compaction knows and has done since the start.
 *
 * @param newestSnapshot transaction of the newest snapshot on the replica; {@link Txid#NONE} if there is none, or the replica
 *     was not listed yet
 * @param newestSnapshotAt when it was taken; null if there is none
 * @param levels levels 0 to 9, at their number
 * @param level0 the files of level 0 by what keeps them
 * @param snapshots that were published
 * @param refused files that the store refused to delete when it was asked last
 * @param retentionProblem why retention does not delete at the moment; null if it does
 */
public record CompactionStatus(
        Txid newestSnapshot,
        @Nullable Instant newestSnapshotAt,
        List<Level> levels,
        Level0 level0,
        long snapshots,
        long refused,
        @Nullable String retentionProblem) {

    /** Before anything is known. */
    public static final CompactionStatus NONE = new CompactionStatus(
            Txid.NONE,
            null,
            Collections.nCopies(ReplicaClient.SNAPSHOT_LEVEL + 1, new Level(0, 0, 0, 0, Duration.ZERO, 0)),
            new Level0(0, 0, 0),
            0,
            0,
            null);

    public CompactionStatus {
        levels = List.copyOf(levels);
    }

    /**
     * One level.
     *
     * @param files on the replica
     * @param bytes their size
     * @param merges files that were merged into the level from others
     * @param mergedBytes their size
     * @param mergeTime that took
     * @param deleted files that retention deleted
     */
    public record Level(long files, long bytes, long merges, long mergedBytes, Duration mergeTime, long deleted) {}

    /**
     * The files of level 0 on the replica, as they were when compaction last looked.
     *
     * @param unmerged whose transactions are not in level 1 yet
     * @param recent merged, and younger than the retention
     * @param expired merged, and past the retention: they go soon, or the store refuses to delete them
     */
    public record Level0(long unmerged, long recent, long expired) {}

    /** Files on the replica, over all levels. */
    public long files() {
        return sum(Level::files);
    }

    /** Files that were merged from others. */
    public long merges() {
        return sum(Level::merges);
    }

    /** Their size. */
    public long mergedBytes() {
        return sum(Level::mergedBytes);
    }

    /** Files that retention deleted. */
    public long deleted() {
        return sum(Level::deleted);
    }

    private long sum(ToLongFunction<Level> count) {
        return levels.stream().mapToLong(count).sum();
    }
}
