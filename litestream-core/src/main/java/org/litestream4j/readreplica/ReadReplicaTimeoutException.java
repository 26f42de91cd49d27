package org.litestream4j.readreplica;

import java.io.IOException;
import java.io.Serial;
import org.litestream4j.ltx.Txid;

/** Thrown if a read replica did not reach a transaction within the timeout. It continues to follow. */
public final class ReadReplicaTimeoutException extends IOException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final Txid awaited;
    private final Txid reached;

    ReadReplicaTimeoutException(String name, Txid awaited, Txid reached, java.time.Duration timeout) {
        super("read replica " + name + ": TXID " + awaited + " is not on the replica after " + timeout
                + ", the newest is " + reached
                + "; check that the primary replicates, and whether the timeout covers its sync interval");
        this.awaited = awaited;
        this.reached = reached;
    }

    public Txid awaited() {
        return awaited;
    }

    public Txid reached() {
        return reached;
    }
}
