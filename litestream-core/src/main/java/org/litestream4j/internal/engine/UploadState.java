package org.litestream4j.internal.engine;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.replication.ReplicaComparison;
import org.litestream4j.internal.replication.SharedHistory;
import org.litestream4j.ltx.Txid;

/**
 * State of a database's upload lane.
 *
 * @param comparison result of the last comparison of the replica with the local files; null before the first, and
 *     after a loss
 * @param number number of the verdict, from 1
 * @param localStates value of {@link CaptureState#localStates} to which the verdict applies
 * @param followed number of the newest verdict that uploads follow
 * @param sharedHistory kinship that must be proven before a full image may follow on the replica; null if none
 * @param replicated newest transaction on the replica
 * @param losses number of times that uploaded files were missing on the replica
 * @param damage damage that prevents the restore of later transactions; null if there is none
 * @param needsRecovery whether a local file is lost, and the configuration does not allow a full image in its place
 */
record UploadState(
        @Nullable ReplicaComparison comparison,
        int number,
        int localStates,
        int followed,
        @Nullable SharedHistory sharedHistory,
        Txid replicated,
        int losses,
        @Nullable Damage damage,
        boolean needsRecovery) {

    static final UploadState INITIAL = new UploadState(null, 0, 0, 0, null, Txid.NONE, 0, null, false);

    /**
     * A damaged or missing file of the replica. Until a later snapshot is on the replica, no later transaction counts as
     * replicated.
     *
     * @param txid transaction that the snapshot must contain
     * @param problem description of the damage
     * @param since time at which the damage was found
     */
    record Damage(Txid txid, String problem, Instant since) {}
}
