package org.litestream4j.replication;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;

/**
 * The proof that nobody else writes to the replica. Names fence as long as they exist; once retention has deleted one, a
 * writer that slept could create it again and mix two histories. So a proof (a listing, or a write that would have failed)
 * expires before anything that it saw can be deleted, by the wall clock and by the monotonic clock: a machine that was
 * suspended stops one of them. Nothing is written or deleted without a fresh proof. Thread-safe.
 */
public final class Ownership {

    private final ReplicaClient client;
    private final Clock clock;
    private final LongSupplier nanoTime;
    private final Duration validity;

    private final Txid[] newest = new Txid[ReplicaClient.SNAPSHOT_LEVEL + 1]; // guarded by this
    private Txid ours = Txid.NONE; // guarded by this
    private int claimedLevel; // guarded by this
    private @Nullable LtxFileName claimed; // guarded by this
    private Instant provenAt = Instant.MIN; // guarded by this
    private long provenAtNanos; // guarded by this

    /**
     * Begins without a proof.
     *
     * @param validity of a proof; at most half of the time that level-0 files are kept
     */
    public Ownership(ReplicaClient client, Clock clock, LongSupplier nanoTime, Duration validity) {
        this.client = client;
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.validity = validity;
        java.util.Arrays.fill(newest, Txid.NONE);
    }

    /** A moment by both clocks. */
    record Moment(Instant wall, long nanos) {}

    Moment now() {
        return new Moment(clock.instant(), nanoTime.getAsLong());
    }

    /**
     * A file is about to be written. If its name exists, the write itself finds out whose it is; any other file that holds its
     * transaction is somebody else's.
     */
    synchronized void claim(int level, LtxFileName name) {
        claimedLevel = level;
        claimed = name;
    }

    /**
     * The claimed file was written, which would have failed if somebody else had been there first.
     *
     * @param begun when the write began: what happened in a long write is not proven
     */
    synchronized void wrote(Txid txid, Moment begun) {
        ours = Txid.max(ours, txid);
        renew(begun);
    }

    /** We begin anew after what the replica holds, as a listing told. */
    synchronized void restart(Txid replicaNewest, Moment begun) {
        ours = replicaNewest;
        claimed = null;
        renew(begun);
    }

    private void renew(Moment begun) {
        provenAt = begun.wall();
        provenAtNanos = begun.nanos();
    }

    private boolean isFresh() {
        Duration byWall = Duration.between(provenAt, clock.instant());
        long byMonotonic = nanoTime.getAsLong() - provenAtNanos;
        return !provenAt.equals(Instant.MIN)
                && !byWall.isNegative()
                && byWall.compareTo(validity) < 0
                && byMonotonic < validity.toNanos();
    }

    /**
     * Makes sure that a proof is fresh; asks the replica only if it is not.
     *
     * @throws ReplicaConflictException if the replica holds a transaction that is not ours
     */
    public synchronized void ensure() throws IOException {
        if (isFresh()) {
            return;
        }
        Moment begun = now();
        client.listAll(List.of(newest), this::check);
        renew(begun);
    }

    private boolean check(LtxFileInfo file) throws ReplicaConflictException {
        boolean own = file.level() == claimedLevel && file.name().equals(claimed);
        if (file.maxTxid().isAfter(ours) && !own) {
            throw new ReplicaConflictException(
                    client.url(),
                    "level " + file.level() + " holds " + file.name()
                            + ", which this process did not write (its own last is " + ours + ")",
                    "stop the other writer, or give one of them another replica URL; then restart this application",
                    null);
        }
        newest[file.level()] = file.minTxid();
        return true;
    }
}
