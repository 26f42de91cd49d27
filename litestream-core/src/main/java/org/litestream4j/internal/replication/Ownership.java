package org.litestream4j.internal.replication;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaLostException;

/**
 * The proof that nobody else writes to the replica. Names fence as long as they exist; once retention has deleted one, a
 * writer that slept could create it again and mix two histories. So a proof (a listing, or a write that would have failed)
 * expires before anything that it saw can be deleted, by the wall clock and by the monotonic clock: a machine that was
 * suspended stops one of them. Nothing is written or deleted without a fresh proof.
 *
 * <p>It is also the proof that what this process wrote is still there: the place itself (a folder can be unmounted) is compared
 * each time, and the newest file of ours is looked for every few seconds in which something is written. Thread-safe.
 */
public final class Ownership {

    /** What was written is looked for so often at most. */
    private static final long PRESENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The replica was empty: its folders are still to come. */
    private static final String MISSING = "to come";

    private final ReplicaClient client;
    private final Clock clock;
    private final LongSupplier nanoTime;
    private final Duration validity;

    @GuardedBy("this")
    private final Txid[] newest = new Txid[ReplicaClient.SNAPSHOT_LEVEL + 1];

    @GuardedBy("this")
    private Txid ours = Txid.NONE;

    @GuardedBy("this")
    private String place = "";

    /** Newest file that was written here and is not known to be gone. */
    @GuardedBy("this")
    private @Nullable Own newestOwn;

    /** The newest at the last check: a newer one is there even if everything before it was deleted meanwhile. */
    @GuardedBy("this")
    private @Nullable Own witness;

    @GuardedBy("this")
    private long presentAtNanos;

    @GuardedBy("this")
    private boolean presenceOpen; // something was written since

    @GuardedBy("this")
    private int claimedLevel;

    @GuardedBy("this")
    private @Nullable LtxFileName claimed;

    @GuardedBy("this")
    private Instant provenAt = Instant.MIN;

    @GuardedBy("this")
    private long provenAtNanos;

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

    /** A file that was written here. */
    private record Own(LtxFileInfo file, long fileChecksum) {}

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

    /**
     * A file of ours is on the replica: it is what must be found there from now on.
     *
     * @param fileChecksum that ends it
     */
    synchronized void published(LtxFileInfo file, long fileChecksum) throws IOException {
        newestOwn = new Own(file, fileChecksum);
        presenceOpen = true;
        if (place.equals(MISSING)) {
            place = client.place();
        }
    }

    /** We begin anew after what the replica holds, as a listing told. */
    synchronized void restart(Txid replicaNewest, Moment begun) throws IOException {
        ours = replicaNewest;
        claimed = null;
        newestOwn = null;
        witness = null;
        presenceOpen = false;
        place = replicaNewest.isNone() ? MISSING : client.place();
        presentAtNanos = begun.nanos();
        renew(begun);
    }

    @GuardedBy("this")
    private void renew(Moment begun) {
        provenAt = begun.wall();
        provenAtNanos = begun.nanos();
    }

    @GuardedBy("this")
    private boolean isFresh() {
        Duration byWall = Duration.between(provenAt, clock.instant());
        long byMonotonic = nanoTime.getAsLong() - provenAtNanos;
        return !provenAt.equals(Instant.MIN)
                && !byWall.isNegative()
                && byWall.compareTo(validity) < 0
                && byMonotonic < validity.toNanos();
    }

    /**
     * Makes sure that a proof is fresh, and that what was written is still there; asks the replica only if that is some time ago.
     *
     * @throws ReplicaConflictException if the replica holds a transaction that is not ours
     * @throws ReplicaLostException if it does not hold ours any more
     */
    public synchronized void ensure() throws IOException {
        ensure(witness != null ? witness : newestOwn, place.isEmpty() ? PRESENCE_NANOS : 0);
    }

    /**
     * Makes sure that the newest file is still there, for as long as nothing follows.
     *
     * @throws ReplicaConflictException as above
     * @throws ReplicaLostException as above
     */
    synchronized void ensureNewest() throws IOException {
        ensure(newestOwn, 0);
    }

    @GuardedBy("this")
    private void ensure(@Nullable Own expected, long interval) throws IOException {
        String now = placeNow();
        boolean moved = !place.equals(MISSING) && !now.equals(place);
        boolean present = moved || isPresent(expected, interval);
        if (isFresh() && !moved && present) {
            return;
        }
        Moment begun = now();
        if (!present && expected != null && !isMerged(expected.file().maxTxid())) {
            throw lost("level " + expected.file().level() + " held "
                    + expected.file().name() + ", which is not there any more");
        }
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(List.of(newest), files::add);
        Txid seen = Txid.NONE;
        for (LtxFileInfo file : files) {
            check(file);
            seen = Txid.max(seen, file.maxTxid());
        }
        if (seen.isBefore(ours)) {
            throw lost("transactions up to " + ours + " were written there, and "
                    + (moved ? "another folder or file system is in its place" : "they are not there any more"));
        }
        place = place.equals(MISSING) ? place : now;
        presentAtNanos = begun.nanos();
        presenceOpen = false;
        witness = newestOwn;
        renew(begun);
    }

    /** Where it cannot be told, what comes next will tell why. */
    @GuardedBy("this")
    private String placeNow() {
        try {
            return client.place();
        } catch (IOException e) {
            return place;
        }
    }

    /** In nanoseconds, until it is time to look whether what was written last is still there; negative if that is known. */
    public synchronized long nanosUntilCheck() {
        return presenceOpen ? Math.max(0, presentAtNanos + PRESENCE_NANOS - nanoTime.getAsLong()) : -1;
    }

    private ReplicaLostException lost(String problem) {
        return new ReplicaLostException(client.url(), problem, "find out who emptied, replaced or unmounted it");
    }

    /** Whether a file of any level holds a transaction. */
    private boolean isMerged(Txid txid) throws IOException {
        boolean[] found = new boolean[1];
        client.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            found[0] = !file.minTxid().isAfter(txid) && !file.maxTxid().isBefore(txid);
            return !found[0];
        });
        return found[0];
    }

    /** Whether a file of ours is still there, as far as it was a moment ago. */
    @GuardedBy("this")
    private boolean isPresent(@Nullable Own expected, long interval) throws IOException {
        long now = nanoTime.getAsLong();
        if (expected == null || now - presentAtNanos < interval) {
            return true;
        }
        LtxFileInfo file = expected.file();
        try (InputStream in =
                client.open(file.level(), file.name(), Math.max(0, file.size() - Long.BYTES), Long.BYTES)) {
            byte[] end = in.readNBytes(Long.BYTES);
            if (end.length < Long.BYTES || ByteBuffer.wrap(end).getLong() != expected.fileChecksum()) {
                throw new ReplicaConflictException(
                        client.url(),
                        "level " + file.level() + " holds " + file.name()
                                + " with other content than this process wrote: it was overwritten",
                        "stop the other writer, or give one of them another replica URL; then restart this application",
                        null);
            }
        } catch (ReplicaFileNotFoundException e) {
            return false; // or others have merged and deleted it
        }
        presentAtNanos = now;
        presenceOpen &= !expected.equals(newestOwn);
        witness = newestOwn;
        return true;
    }

    @GuardedBy("this")
    private void check(LtxFileInfo file) throws ReplicaConflictException {
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
    }
}
