package org.litestream4j;

import java.io.Serial;
import org.litestream4j.ltx.Txid;

/** Something is committed in the local database, but did not reach the replica in time; it goes on trying. */
public final class ReplicationTimeoutException extends NotReplicatedException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** As the constructor of {@link NotReplicatedException}. */
    public ReplicationTimeoutException(String database, Txid txid, String message) {
        super(database, txid, message);
    }
}
