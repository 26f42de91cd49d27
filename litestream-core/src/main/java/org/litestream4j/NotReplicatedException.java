package org.litestream4j;

import java.io.Serial;
import org.litestream4j.ltx.Txid;

/**
 * Something is committed in the local database, but not known to be on the replica. Unchecked, and no {@link
 * java.sql.SQLException}: it reaches the caller through JDBC and through transaction managers alike, and nobody takes it for a
 * commit that failed and may be repeated.
 */
public class NotReplicatedException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String database;
    private final long txid;

    /**
     * @param database name of the database
     * @param txid what is committed is on the replica once the replicated TXID is at least this, and not before
     */
    public NotReplicatedException(String database, Txid txid, String message) {
        super(message);
        this.database = database;
        this.txid = txid.value();
    }

    /** Name of the database. */
    public String database() {
        return database;
    }

    /**
     * What is committed is not on the replica before the replicated TXID of {@link DatabaseStatus} is this; the message says
     * whether it is there as soon as that is reached, or may come in a later one.
     */
    public Txid txid() {
        return new Txid(txid);
    }
}
