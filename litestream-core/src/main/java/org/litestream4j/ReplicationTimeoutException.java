package org.litestream4j;

import java.io.Serial;
import org.litestream4j.ltx.Txid;

/**
 * Thrown if a change is committed in the local database, but did not reach the replica within the timeout. Replication
 * continues to retry.
 */
public final class ReplicationTimeoutException extends NotReplicatedException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** Creates the exception, see {@link NotReplicatedException}. */
    public ReplicationTimeoutException(String database, Txid txid, String message) {
        super(database, txid, message);
    }
}
