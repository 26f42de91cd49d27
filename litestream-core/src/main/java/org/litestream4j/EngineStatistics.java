package org.litestream4j;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.RestoreProgress;

/**
 * Counters of one database's replication since the start of the process. Positions are in {@link DatabaseStatus}, the
 * content of the replica is in {@link org.litestream4j.compaction.CompactionStatus}. Every map has an entry for every
 * key.
 *
 * @param captures captures of committed changes; the failures are those of all steps of the capture lane
 * @param checkpoints checkpoints by kind; the failures include checkpoints that found the database busy
 * @param writeLock how often and for how long the application's writers were held back
 * @param operations operations on files of the replica
 * @param requests requests reported by the replica client; 0 for a folder
 * @param outcomes outcomes of these requests
 * @param commitWaits waits of commits and callers until their changes were on the replica; the failures are waits
 *     that ended earlier
 * @param restores restores of this database in this process: before its start, in place, and to other files
 * @param restore progress of the running restore, or the outcome of the last one; null if there was none
 * @param auditFailures how often captured state was found to differ from the database; each time, a full image
 *     followed
 * @param diskFullErrors number of errors caused by a full disk
 * @param diskFull whether a full disk is what stops replication now
 * @param refused whether replication is stopped until the operator changes something: a permission, the
 *     credentials, a bucket, the database
 */
public record EngineStatistics(
        Tally captures,
        Map<CheckpointKind, Tally> checkpoints,
        Tally writeLock,
        Map<ReplicaOperation, Tally> operations,
        Map<RequestListener.RequestType, Long> requests,
        Map<RequestListener.RequestResult, Long> outcomes,
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
