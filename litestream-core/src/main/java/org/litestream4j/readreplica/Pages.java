package org.litestream4j.readreplica;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;

/** The pages of one replica, fetched on demand. Thread-safe. */
interface Pages {

    /** Opens the pages of a replica; empty if they cannot be fetched on demand. */
    static Optional<Pages> open(ReplicaLocation location, ReadReplicaOptions options) {
        return Optional.empty();
    }

    PageSource newest() throws IOException;

    PageSource asOf(Instant moment) throws IOException;

    PageSource asOf(Txid txid) throws IOException;

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
