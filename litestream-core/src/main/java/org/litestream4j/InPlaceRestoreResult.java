package org.litestream4j;

import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreResult;

/**
 * What a restore in place did.
 *
 * @param restored the state that was brought back
 * @param before the last transaction before it: restoring to it undoes the restore
 * @param after the transaction from which on the restored state is on the replica
 */
public record InPlaceRestoreResult(RestoreResult restored, Txid before, Txid after) {}
