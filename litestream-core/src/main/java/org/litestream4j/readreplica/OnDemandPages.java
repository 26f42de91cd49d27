package org.litestream4j.readreplica;

import java.io.IOException;
import java.time.Duration;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreTarget;

/** The pages of one replica, fetched on demand. Thread-safe. */
interface OnDemandPages {

    PageSource newest() throws IOException;

    /**
     * Returns the pages of a moment.
     *
     * @param target not the newest state
     */
    PageSource asOf(RestoreTarget target) throws IOException;

    /** Waits until the newest known state is at or after a TXID. Returns whether it is. */
    boolean awaitTxid(Txid txid, Duration timeout) throws IOException, InterruptedException;

    /**
     * Returns the status, without waiting for the replica.
     *
     * @param name name of the read replica
     */
    ReadReplicaStatus status(String name);

    void close() throws IOException;
}
