package org.litestream4j;

import java.io.Serial;
import org.litestream4j.ltx.Txid;

/**
 * Thrown if a change is committed in the local database, but not known to be on the replica. The exception is unchecked
 * and not a {@link java.sql.SQLException}: it passes through JDBC and transaction managers unchanged, and is not
 * mistaken for a failed commit that may be retried.
 */
public class NotReplicatedException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String database;
    private final long txid;

    /**
     * @param database name of the database
     * @param txid replicated TXID from which the change is on the replica
     */
    public NotReplicatedException(String database, Txid txid, String message) {
        super(message);
        this.database = database;
        this.txid = txid.value();
    }

    /** Returns the name of the database. */
    public String database() {
        return database;
    }

    /**
     * Returns the TXID that the replicated TXID of {@link DatabaseStatus} must reach before the change can be on the
     * replica. The message says whether the change is on the replica as soon as that TXID is reached, or possibly only
     * with a later one.
     */
    public Txid txid() {
        return new Txid(txid);
    }
}
