package org.litestream4j;

import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreResult;

/**
 * What a restore in place did.
 *
 * @param restored the state that was brought back
 * @param before the last transaction before it: restoring to it undoes the restore
 * @param after the transaction that brought the restored state
 * @param replicated whether that is on the replica; if not, because the replica could not be reached, it follows by itself
 */
public record InPlaceRestoreResult(RestoreResult restored, Txid before, Txid after, boolean replicated) {}
