package org.litestream4j;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.RestoreProgress;

/**
 * What one database's replication has done since the start of the process; what it has reached stands in {@link
 * DatabaseStatus}, and what the replica holds in {@link org.litestream4j.compaction.CompactionStatus}. Every map has an entry
 * for every key.
 *
 * @param captures of committed changes; failures are those of all that the capture lane does
 * @param checkpoints by mode; failures are those that were kept busy, too
 * @param writeLock how often and how long the application's writers were held back
 * @param operations on the replica, at the level of files
 * @param requests that the replica's client reported; 0 for a folder
 * @param outcomes of these requests
 * @param commitWaits of commits and callers until what they committed was on the replica; failures are those that ended before
 * @param restores of this database in this process: before its start, in place, and to other files
 * @param restore how far the running restore is, or how the last one ended; null if there was none
 * @param auditFailures how often captured state was found not to lead to the database; a full image followed each time
 * @param diskFullErrors how often a full disk was met
 * @param diskFull whether it is what holds replication up now
 * @param refused whether replication stands still until somebody changes something: a right, a login, a bucket, the database
 */
public record EngineStatistics(
        Tally captures,
        Map<CheckpointKind, Tally> checkpoints,
        Tally writeLock,
        Map<ReplicaOperation, Tally> operations,
        Map<RequestListener.Operation, Long> requests,
        Map<RequestListener.Outcome, Long> outcomes,
        Tally commitWaits,
        Tally restores,
        @Nullable RestoreProgress restore,
        long auditFailures,
        long diskFullErrors,
        boolean diskFull,
        boolean refused) {

    public EngineStatistics {
        checkpoints = Map.copyOf(checkpoints);
        operations = Map.copyOf(operations);
        requests = Map.copyOf(requests);
        outcomes = Map.copyOf(outcomes);
    }
}
