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
import java.util.Objects;
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
 * The proof that no other process writes to the replica. File names fence other writers as long as the files exist;
 * after retention has deleted a file, a writer that was suspended could create it again and mix two histories.
 * Therefore, a proof (a listing, or a write that would have failed) expires before any file that it saw can be deleted,
 * by the wall clock and by the monotonic clock: suspending a machine stops one of them. Nothing is written or deleted
 * without a valid proof.
 *
 * <p>It also proves that files written by this process still exist. The physical store (a folder can be unmounted) is
 * compared each time. The newest file of this process is checked every 10 seconds while files are written, and
 * if the replica has a place, before each write, too. Thread-safe.
 */
public final class Ownership {

    /** Interval between two checks for the newest file of this process. Writes to a replica with a place add checks. */
    private static final long PRESENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** As {@link #PRESENCE_NANOS}, for the second check during one write, on a replica with a place. */
    private static final long PRESENCE_WITHIN_WRITE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Value of {@link #place} while the replica is empty and its folders do not exist yet. */
    private static final String MISSING = "to come";

    private final ReplicaClient client;
    private final Clock clock;
    private final LongSupplier nanoTime;
    private final Duration validity;

    @GuardedBy("this")
    private final Txid[] newest = new Txid[ReplicaClient.SNAPSHOT_LEVEL + 1];

    @GuardedBy("this")
    private Txid ours = Txid.NONE;

    /** Number of restarts: the result of a check that began before the last one is void. */
    @GuardedBy("this")
    private int restarts;

    @GuardedBy("this")
    private String place = "";

    /** Newest file written by this process that is not known to be lost. */
    @GuardedBy("this")
    private @Nullable Own newestOwn;

    /**
     * Newest file at the last check. If it exists, the replica was not emptied, even if retention deleted all earlier
     * files.
     */
    @GuardedBy("this")
    private @Nullable Own witness;

    @GuardedBy("this")
    private long presentAtNanos;

    @GuardedBy("this")
    private boolean presenceOpen; // a file was written since the last check

    @GuardedBy("this")
    private int claimedLevel;

    @GuardedBy("this")
    private @Nullable LtxFileName claimed;

    @GuardedBy("this")
    private Instant provenAt = Instant.MIN;

    @GuardedBy("this")
    private long provenAtNanos;

    /**
     * Starts without a proof.
     *
     * @param validity validity of a proof; at most half of the retention of level-0 files
     */
    public Ownership(ReplicaClient client, Clock clock, LongSupplier nanoTime, Duration validity) {
        this.client = client;
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.validity = validity;
        java.util.Arrays.fill(newest, Txid.NONE);
    }

    /** A file written by this process. */
    private record Own(LtxFileInfo file, long fileChecksum) {}

    /** A moment by both clocks. */
    record Moment(Instant wall, long nanos) {}

    Moment now() {
        return new Moment(clock.instant(), nanoTime.getAsLong());
    }

    /**
     * Records that a file is about to be written. If its name exists, the write itself determines its owner; any other
     * file that contains its transaction belongs to another process.
     */
    synchronized void claim(int level, LtxFileName name) {
        claimedLevel = level;
        claimed = name;
    }

    /**
     * Records that the claimed file was written, which would have failed if another process had been first.
     *
     * @param begun start of the write; the time during a long write is not covered by the proof
     */
    synchronized void wrote(Txid txid, Moment begun) {
        ours = Txid.max(ours, txid);
        renew(begun);
    }

    /**
     * Records that a file of this process is on the replica and must be found there from now on.
     *
     * @param fileChecksum checksum at the end of the file
     */
    void published(LtxFileInfo file, long fileChecksum) throws IOException {
        String created = isPlaceToCome() ? client.place() : null;
        synchronized (this) {
            newestOwn = new Own(file, fileChecksum);
            presenceOpen = true;
            if (created != null && place.equals(MISSING)) {
                place = created;
            }
        }
    }

    private synchronized boolean isPlaceToCome() {
        return place.equals(MISSING);
    }

    /** Restarts after the newest transaction of the replica, as found by a listing. */
    void restart(Txid replicaNewest, Moment begun) throws IOException {
        String found = replicaNewest.isNone() ? MISSING : client.place();
        synchronized (this) {
            restarts++;
            ours = replicaNewest;
            claimed = null;
            newestOwn = null;
            witness = null;
            presenceOpen = false;
            place = found;
            presentAtNanos = begun.nanos();
            renew(begun);
        }
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
     * Ensures that the proof is valid and that files of this process still exist. Sends requests only if the last proof
     * has expired.
     *
     * @throws ReplicaConflictException if the replica contains a transaction of another process
     * @throws ReplicaLostException if the replica no longer contains the files of this process
     */
    public void ensure() throws IOException {
        ensure(false, 0);
    }

    /**
     * Ensures the same before a file becomes visible, after {@link #ensure} at the start of its write. Files of this
     * process are checked again only if that write has taken more than a second.
     *
     * @throws ReplicaConflictException as for {@link #ensure}
     * @throws ReplicaLostException as for {@link #ensure}
     */
    void ensureStill() throws IOException {
        ensure(false, PRESENCE_WITHIN_WRITE_NANOS);
    }

    /**
     * Ensures that the newest file still exists, as long as no other file follows it.
     *
     * @throws ReplicaConflictException as for {@link #ensure}
     * @throws ReplicaLostException as for {@link #ensure}
     */
    void ensureNewest() throws IOException {
        ensure(true, 0);
    }

    /**
     * What a check assumes, as of its beginning.
     *
     * @param expected file of this process whose presence is due to be checked; null if none is
     */
    private record Check(
            int restarts,
            Moment begun,
            boolean fresh,
            Txid ours,
            List<Txid> newest,
            String place,
            @Nullable Own expected,
            @Nullable Own newestOwn) {}

    /** @param interval minimum time in nanoseconds between two checks of files on a replica that has a place */
    private synchronized Check begin(boolean newestOnly, long interval) {
        Own expected = newestOnly || witness == null ? newestOwn : witness;
        long minimum = place.isEmpty() && !newestOnly ? PRESENCE_NANOS : interval;
        boolean due = nanoTime.getAsLong() - presentAtNanos >= minimum;
        return new Check(restarts, now(), isFresh(), ours, List.of(newest), place, due ? expected : null, newestOwn);
    }

    private void ensure(boolean newestOnly, long interval) throws IOException {
        while (!run(begin(newestOnly, interval))) {
            // the history was restarted in the meantime
        }
    }

    /** Runs a check without a lock. Returns whether its result counts. */
    private boolean run(Check check) throws IOException {
        String now = placeOr(check.place());
        boolean moved = !check.place().equals(MISSING) && !now.equals(check.place());
        Own expected = check.expected();
        boolean present = moved || expected == null || isPresent(expected);
        if (check.fresh() && !moved && present) {
            return expected == null || isPresent(check, expected);
        }
        if (!present && expected != null && !isMerged(expected.file().maxTxid())) {
            throw lost("level " + expected.file().level() + " no longer contains "
                    + expected.file().name());
        }
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(check.newest(), files::add);
        return isProven(check, files, now, moved);
    }

    /** Records that a file is present. Returns whether that counts. */
    private synchronized boolean isPresent(Check check, Own expected) {
        if (check.restarts() != restarts) {
            return false;
        }
        presentAtNanos = check.begun().nanos();
        presenceOpen &= !expected.equals(newestOwn);
        witness = check.newestOwn();
        return true;
    }

    /** Records a proof by the files that were listed. Returns whether it counts. */
    private synchronized boolean isProven(Check check, List<LtxFileInfo> files, String now, boolean moved)
            throws IOException {
        if (check.restarts() != restarts) {
            return false;
        }
        Txid seen = Txid.NONE;
        for (LtxFileInfo file : files) {
            check(file);
            seen = Txid.max(seen, file.maxTxid());
        }
        if (seen.isBefore(check.ours())) {
            throw lost("transactions up to " + check.ours() + " were written there, but "
                    + (moved ? "another folder or file system is in its place" : "they no longer exist"));
        }
        place = place.equals(MISSING) ? place : now;
        presentAtNanos = check.begun().nanos();
        presenceOpen &= !Objects.equals(check.newestOwn(), newestOwn);
        witness = check.newestOwn();
        renew(check.begun());
        return true;
    }

    /** Returns the current place. If it cannot be determined, the next operation reports the error. */
    private String placeOr(String known) {
        try {
            return client.place();
        } catch (IOException e) {
            return known;
        }
    }

    /** Returns the time in nanoseconds until the last written file must be checked; negative if no check is needed. */
    public synchronized long nanosUntilCheck() {
        return presenceOpen ? Math.max(0, presentAtNanos + PRESENCE_NANOS - nanoTime.getAsLong()) : -1;
    }

    private ReplicaLostException lost(String problem) {
        return new ReplicaLostException(client.url(), problem, "find out what emptied, replaced or unmounted it");
    }

    /** Returns whether a file of any level contains a transaction. */
    private boolean isMerged(Txid txid) throws IOException {
        boolean[] found = new boolean[1];
        client.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            found[0] = !file.minTxid().isAfter(txid) && !file.maxTxid().isBefore(txid);
            return !found[0];
        });
        return found[0];
    }

    /** Returns whether a file of this process still exists. */
    private boolean isPresent(Own expected) throws IOException {
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
            return true;
        } catch (ReplicaFileNotFoundException e) {
            return false; // or another process has merged and deleted it
        }
    }

    @GuardedBy("this")
    private void check(LtxFileInfo file) throws ReplicaConflictException {
        boolean own = file.level() == claimedLevel && file.name().equals(claimed);
        if (file.maxTxid().isAfter(ours) && !own) {
            throw new ReplicaConflictException(
                    client.url(),
                    "level " + file.level() + " holds " + file.name()
                            + ", which this process did not write (its own last transaction is " + ours + ")",
                    "stop the other writer, or give one of them another replica URL; then restart this application",
                    null);
        }
        newest[file.level()] = file.minTxid();
    }
}
