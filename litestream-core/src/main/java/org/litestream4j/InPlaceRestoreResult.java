package org.litestream4j;

import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreResult;

/**
 * Result of a restore in place.
 *
 * @param restored the restored state
 * @param before last transaction before the restore; restoring to it undoes the restore
 * @param after transaction that contains the restored state
 * @param replicated whether that transaction is on the replica; if false, because the replica could not be reached,
 *     it is uploaded later without further action
 */
public record InPlaceRestoreResult(RestoreResult restored, Txid before, Txid after, boolean replicated) {}
