package org.litestream4j.readreplica;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import javax.sql.DataSource;
import org.litestream4j.ltx.Txid;

/** How a read replica gets at the pages. Thread-safe. */
interface Backend {

    String name();

    DataSource newest();

    DataSource asOf(Instant moment) throws IOException;

    DataSource asOf(Txid txid) throws IOException;

    /** Waits until the newest known state is at or after a TXID. Returns whether it is. */
    boolean awaitTxid(Txid txid, Duration timeout) throws IOException, InterruptedException;

    ReadReplicaStatus status();

    void close() throws IOException;
}
