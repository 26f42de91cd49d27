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
 * Known content of the replica, and counters of compaction since the start.
 *
 * @param newestSnapshot last transaction of the newest snapshot on the replica; {@link Txid#NONE} if there is none,
 *     or if the replica was not listed yet
 * @param newestSnapshotAt time of the newest snapshot; null if there is none
 * @param levels levels 0 to 9, by number
 * @param level0 files of level 0 by the reason for which they are kept
 * @param snapshots number of snapshots published
 * @param refused number of files that the store refused to delete at the last attempt
 * @param retentionProblem reason for which retention does not delete now; null if it does
 */
public record CompactionStatus(
        Txid newestSnapshot,
        @Nullable Instant newestSnapshotAt,
        List<Level> levels,
        Level0 level0,
        long snapshots,
        long refused,
        @Nullable String retentionProblem) {

    /** The status before anything is known. */
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
     * Status of one level.
     *
     * @param files number of files on the replica
     * @param bytes total size of these files
     * @param merges number of files created in this level by merging
     * @param mergedBytes total size of the files created by merging
     * @param mergeTime total duration of these merges
     * @param deleted number of files deleted by retention
     */
    public record Level(long files, long bytes, long merges, long mergedBytes, Duration mergeTime, long deleted) {}

    /**
     * The files of level 0 on the replica, at the last run of compaction.
     *
     * @param unmerged files whose transactions are not in level 1 yet
     * @param recent merged files that are younger than the retention
     * @param expired merged files past the retention: they are deleted soon, or the store refuses to delete them
     */
    public record Level0(long unmerged, long recent, long expired) {}

    /** Returns the number of files on the replica, in all levels. */
    public long files() {
        return sum(Level::files);
    }

    /** Returns the number of files created by merging. */
    public long merges() {
        return sum(Level::merges);
    }

    /** Returns the total size of the files created by merging, in bytes. */
    public long mergedBytes() {
        return sum(Level::mergedBytes);
    }

    /** Returns the number of files deleted by retention. */
    public long deleted() {
        return sum(Level::deleted);
    }

    private long sum(ToLongFunction<Level> count) {
        return levels.stream().mapToLong(count).sum();
    }
}
