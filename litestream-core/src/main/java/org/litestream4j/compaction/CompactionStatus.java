package org.litestream4j.compaction;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * What compaction knows and has done since the start.
 *
 * @param newestSnapshot transaction of the newest snapshot on the replica; {@link Txid#NONE} if there is none, or the replica
 *     was not listed yet
 * @param newestSnapshotAt when it was taken; null if there is none
 * @param files number of files on the replica, over all levels
 * @param merges files that were merged from others
 * @param mergedBytes their size
 * @param snapshots that were published
 * @param deleted files that retention deleted
 * @param refused files that the store refused to delete when it was asked last
 * @param retentionProblem why retention does not delete at the moment; null if it does
 */
public record CompactionStatus(
        Txid newestSnapshot,
        @Nullable Instant newestSnapshotAt,
        long files,
        long merges,
        long mergedBytes,
        long snapshots,
        long deleted,
        long refused,
        @Nullable String retentionProblem) {

    /** Before anything is known. */
    public static final CompactionStatus NONE = new CompactionStatus(Txid.NONE, null, 0, 0, 0, 0, 0, 0, null);
}
