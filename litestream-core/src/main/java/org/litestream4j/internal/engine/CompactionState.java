package org.litestream4j.internal.engine;

import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLostException;

/**
 * State of a database's compaction lane: findings to which the other lanes must react.
 *
 * @param mismatch last snapshot that did not match the captured transactions; null if there was none
 * @param loss last loss of files of the replica; null if there was none
 * @param newestSnapshot last transaction of the newest snapshot; {@link Txid#NONE} if there is none, or it is not known yet
 * @param listedLosses number of {@linkplain UploadState#losses losses} after which {@code newestSnapshot} was listed
 */
record CompactionState(
        @Nullable LostContinuityException mismatch,
        @Nullable ReplicaLostException loss,
        Txid newestSnapshot,
        int listedLosses) {

    static final CompactionState INITIAL = new CompactionState(null, null, Txid.NONE, 0);
}
