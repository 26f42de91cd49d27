package org.litestream4j.readreplica;

import java.io.IOException;
import java.time.Duration;
import javax.sql.DataSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreTarget;

/** How a read replica gets at the pages. Thread-safe. */
interface ReadReplicaBackend {

    String name();

    DataSource newest();

    /**
     * Returns connections to a moment.
     *
     * @param target not the newest state
     */
    DataSource asOf(RestoreTarget target) throws IOException;

    /** Waits until the newest known state is at or after a TXID. Returns whether it is. */
    boolean awaitTxid(Txid txid, Duration timeout) throws IOException, InterruptedException;

    ReadReplicaStatus status();

    void close() throws IOException;
}
