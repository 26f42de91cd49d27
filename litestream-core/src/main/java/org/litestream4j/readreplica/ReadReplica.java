package org.litestream4j.readreplica;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import javax.sql.DataSource;
import org.litestream4j.internal.vfs.ReplicaVfs;
import org.litestream4j.internal.vfs.SharedVfs;
import org.litestream4j.internal.vfs.VfsUnsupportedException;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A database that is queried straight from its replica, without a restore: the newest state, which follows the primary,
 * or any retained moment. Pages are fetched when SQLite reads them. Thread-safe.
 *
 * <pre>{@code
 * try (ReadReplica replica = ReadReplica.open("s3://backups/app")) {
 *     DataSource now = replica.dataSource();
 *     DataSource then = replica.asOf(Instant.parse("2026-11-28T09:00:00Z"));
 * }
 * }</pre>
 *
 * <p>Each transaction reads exactly one state; outside of a transaction, each statement does. Connections are read-only.
 * In SQL, {@code litestream_txid()}, {@code litestream_time()} and {@code litestream_lag()} return the transaction, its
 * time and the lag in seconds of the state that the connection reads; {@code litestream_set_time('5 minutes ago')}
 * selects a moment for the connection, {@code litestream_set_time('LATEST')} the newest state again, and
 * {@code litestream_set_time('DEFAULT')} what the connection read when it was opened. A pool does not undo that selection.
 *
 * <p>While it is open, any connection of this process can open it as
 * {@code jdbc:sqlite:file:NAME?vfs=litestream&open_mode=1}, or attach it beside a local database with
 * {@code ATTACH 'file:NAME?vfs=litestream&mode=ro' AS r}.
 *
 * <p>Errors: if the replica does not answer in time, a query fails with {@code SQLITE_BUSY}, which keeps the transaction;
 * if data is damaged or gone, with {@code SQLITE_IOERR_READ}. The cause of the {@link java.sql.SQLException} is the
 * exception of the replica. Without auto-commit, {@code SQLITE_IOERR} ends the transaction: statements fail until
 * {@code rollback()}.
 *
 * <p>Without JNA, with a version of the driver that is not supported, or on a 32-bit JVM, the database is restored to a
 * temporary file first, and again after changes; a warning in the log and the status name the reason. SQL functions and
 * JDBC URLs are not available then.
 */
public final class ReadReplica implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ReadReplica.class);

    private final ReadReplicaBackend backend;

    private ReadReplica(ReadReplicaBackend backend) {
        this.backend = backend;
    }

    /** Opens a replica with default options, as {@link #open(ReplicaLocation, ReadReplicaOptions)}. */
    public static ReadReplica open(String url) throws IOException {
        return open(url, ReadReplicaOptions.defaults());
    }

    /** Opens a replica, as {@link #open(ReplicaLocation, ReadReplicaOptions)}. */
    public static ReadReplica open(String url, ReadReplicaOptions options) throws IOException {
        return open(ReplicaLocation.of(url), options);
    }

    /**
     * Opens a replica and finds its newest state.
     *
     * @throws IllegalArgumentException if no backend supports the URL, or if a setting is invalid
     * @throws IllegalStateException if a read replica with the name of the options is open
     * @throws org.litestream4j.restore.RestoreException if the replica has no state that can be read
     * @throws IOException if the replica cannot be read
     */
    public static ReadReplica open(ReplicaLocation location, ReadReplicaOptions options) throws IOException {
        ReadReplicaName name = ReadReplicaName.of(options.name(), location.url());
        try {
            ReplicaVfs vfs = SharedVfs.get();
            return open(name, OnDemandPagesOpener.open(location, options), vfs);
        } catch (VfsUnsupportedException e) {
            String reason = String.valueOf(e.getMessage());
            log.warn("restoring the database before it is queried: read-replica={} reason={}", name.text(), reason);
            return restoring(name, reason, location, options);
        }
    }

    private static ReadReplica restoring(
            ReadReplicaName name, String reason, ReplicaLocation location, ReadReplicaOptions options)
            throws IOException {
        return new ReadReplica(RestoringBackend.open(name.text(), reason, Replicas.open(location), options));
    }

    /** Opens a read replica over given pages. */
    static ReadReplica open(ReadReplicaName name, OnDemandPages pages, ReplicaVfs vfs) throws IOException {
        return new ReadReplica(OnDemandBackend.open(name, pages, vfs));
    }

    /** Returns the name by which SQLite opens this read replica. */
    public String name() {
        return backend.name();
    }

    /**
     * Returns connections to the newest state. Each transaction reads the newest known state at its start. The
     * connections are not pooled; opening one takes less than a millisecond.
     */
    public DataSource dataSource() {
        return backend.newest();
    }

    /**
     * Returns connections to the newest state older than a time.
     *
     * @throws org.litestream4j.restore.RestoreException if the replica does not contain such a state
     * @throws IOException if the replica cannot be read
     */
    public DataSource asOf(Instant moment) throws IOException {
        return backend.asOf(RestoreTarget.timestamp(moment));
    }

    /**
     * Returns connections to the state after exactly this transaction.
     *
     * @throws org.litestream4j.restore.RestoreException if the replica does not contain that state
     * @throws IOException if the replica cannot be read
     */
    public DataSource asOf(Txid txid) throws IOException {
        return backend.asOf(RestoreTarget.txid(txid));
    }

    /**
     * Returns connections to the state that a mark names.
     *
     * @throws IllegalArgumentException if marks cannot have this name
     * @throws org.litestream4j.restore.RestoreException if there is no such mark, or if its state is gone
     * @throws IOException if the replica cannot be read
     */
    public DataSource asOfMark(String name) throws IOException {
        return backend.asOf(RestoreTarget.mark(name));
    }

    /**
     * Waits until transactions of {@link #dataSource} that start now read a state at or after a TXID.
     *
     * @throws ReadReplicaTimeoutException if the timeout has passed, or if this read replica was closed
     * @throws IOException if the replica cannot be read
     */
    public void awaitTxid(Txid txid, Duration timeout) throws IOException, InterruptedException {
        if (!backend.awaitTxid(txid, timeout)) {
            throw new ReadReplicaTimeoutException(name(), txid, status().txid(), timeout);
        }
    }

    /** Returns the status, without waiting for the replica. */
    public ReadReplicaStatus status() {
        return backend.status();
    }

    /** Closes the replica; queries of open connections fail from now on. Idempotent. */
    @Override
    public void close() throws IOException {
        backend.close();
    }
}
