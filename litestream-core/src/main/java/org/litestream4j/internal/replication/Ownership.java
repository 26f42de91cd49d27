package org.litestream4j.internal.replication;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaLostException;

/**
 * The proof that no other process writes to the replica. File names fence other writers as long as the files exist;
 * after retention has deleted a file, a writer that was suspended could create it again and mix two histories.
 * Therefore, a proof (a listing, or a write that would have failed) expires before any file that it saw can be deleted,
 * by the wall clock and by the monotonic clock: suspending a machine stops one of them. Nothing is written or deleted
 * without a valid proof.
 *
 * <p>It also proves that the replica still contains what was written to it. The physical store (a folder can be
 * unmounted) is compared each time. While files are written, two files of this process are checked every 10 seconds: the
 * newest one, and the one that was the newest at the check before; if the replica has a place, the latter also before
 * each write. A listing shows whether files still lead from a snapshot to the newest transaction: every 10 seconds if the
 * replica has a place, every 10 minutes elsewhere. Thread-safe.
 */
public final class Ownership {

    /** Number of lost replicas that are recognized if they come back. */
    private static final int MAX_FORMER = 8;

    /** Interval between two checks for the newest file of this process. Writes to a replica with a place add checks. */
    private static final long PRESENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** As {@link #PRESENCE_NANOS}, for the second check during one write, on a replica with a place. */
    private static final long PRESENCE_WITHIN_WRITE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Interval between two listings while files are written, on a replica without a place. */
    private static final long LISTING_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Value of {@link #place} while the replica is empty and its folders do not exist yet. */
    private static final String MISSING = "to come";

    private final ReplicaClient client;
    private final Clock clock;
    private final LongSupplier nanoTime;
    private final Duration validity;

    /** First transaction of the files to list, by level: earlier ones are not needed to restore the newest state. */
    @GuardedBy("this")
    private final Txid[] from = new Txid[ReplicaClient.SNAPSHOT_LEVEL + 1];

    @GuardedBy("this")
    private long listedAtNanos;

    /** Whether a break in the chain of files was reported that still exists. */
    @GuardedBy("this")
    private boolean breakReported;

    @GuardedBy("this")
    private Txid ours = Txid.NONE;

    /** Number of restarts: the result of a check that began before the last one is void. */
    @GuardedBy("this")
    private int restarts;

    @GuardedBy("this")
    private String place = "";

    /** Newest file written by this process that is not known to be lost. */
    @GuardedBy("this")
    private @Nullable WrittenFile newestOwn;

    /**
     * Newest file at the last check. If it exists, the replica was not emptied, even if retention deleted all earlier
     * files.
     */
    @GuardedBy("this")
    private @Nullable WrittenFile newestAtCheck;

    /** Newest files of the replicas that this process has lost. A folder that was unmounted comes back. */
    @GuardedBy("this")
    private final Deque<WrittenFile> former = new ArrayDeque<>();

    @GuardedBy("this")
    private long presentAtNanos;

    @GuardedBy("this")
    private boolean presenceOpen; // a file was written since the last check

    @GuardedBy("this")
    private int claimedLevel;

    @GuardedBy("this")
    private @Nullable LtxFileName claimed;

    @GuardedBy("this")
    private int publishingLevel;

    /** Last file that another lane of this process was about to publish; it may become visible after a restart. */
    @GuardedBy("this")
    private @Nullable LtxFileName publishing;

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
        Arrays.fill(from, Txid.NONE);
    }

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
     * Records that another lane of this process is about to publish a file of transactions that are on the replica. If
     * the replica loses them meanwhile, the file is not taken for that of another process.
     */
    public synchronized void publishing(int level, LtxFileName name) {
        publishingLevel = level;
        publishing = name;
    }

    /**
     * Records that the claimed file was written, which would have failed if another process had been first.
     *
     * @param begun start of the write; the time during a long write is not covered by the proof
     */
    synchronized void recordWritten(Txid txid, Moment begun) {
        ours = Txid.max(ours, txid);
        renew(begun);
    }

    /**
     * Records that a file of this process is on the replica and must be found there from now on.
     *
     * @param fileChecksum checksum at the end of the file
     */
    void published(LtxFileInfo file, long fileChecksum) throws IOException {
        String created = isPlaceMissing() ? client.place() : null;
        synchronized (this) {
            newestOwn = new WrittenFile(file, fileChecksum);
            presenceOpen = true;
            if (created != null && place.equals(MISSING)) {
                place = created;
            }
        }
    }

    private synchronized boolean isPlaceMissing() {
        return place.equals(MISSING);
    }

    /**
     * Restarts after the newest transaction of the replica, as found by a listing.
     *
     * @param broken whether the files do not lead to that transaction, which is then not reported again
     */
    void restart(Txid replicaNewest, boolean broken, Moment begun) throws IOException {
        String found = replicaNewest.isNone() ? MISSING : client.place();
        synchronized (this) {
            restarts++;
            ours = replicaNewest;
            breakReported = broken;
            claimed = null;
            remember(newestOwn);
            newestOwn = null;
            newestAtCheck = null;
            presenceOpen = false;
            place = found;
            presentAtNanos = begun.nanos();
            listedAtNanos = begun.nanos();
            Arrays.fill(from, Txid.NONE);
            renew(begun);
        }
    }

    @GuardedBy("this")
    private void remember(@Nullable WrittenFile own) {
        if (own != null && !own.equals(former.peekLast())) {
            former.addLast(own);
            if (former.size() > MAX_FORMER) {
                former.removeFirst();
            }
        }
    }

    /** Returns whether a file is the newest one that this process wrote before a restart. */
    synchronized boolean isFormer(LtxFileInfo file, long fileChecksum) {
        return former.stream()
                .anyMatch(own -> own.file().level() == file.level()
                        && own.file().name().equals(file.name())
                        && own.fileChecksum() == fileChecksum);
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
     * Ensures that the newest file still exists, as long as no other file follows it, and the one before it.
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
     * @param fresh whether no listing is due
     * @param expected files of this process whose presence is due to be checked
     */
    private record Check(
            int restarts,
            Moment begun,
            boolean fresh,
            Txid ours,
            List<Txid> from,
            String place,
            List<WrittenFile> expected,
            @Nullable WrittenFile newestOwn) {}

    /** @param interval minimum time in nanoseconds between two checks of files on a replica that has a place */
    private synchronized Check begin(boolean newestToo, long interval) {
        Moment begun = now();
        long minimum = place.isEmpty() && !newestToo ? PRESENCE_NANOS : interval;
        boolean due = begun.nanos() - presentAtNanos >= minimum;
        List<WrittenFile> expected = Stream.of(
                        newestAtCheck == null ? newestOwn : newestAtCheck, newestToo ? newestOwn : null)
                .filter(own -> own != null && due)
                .distinct()
                .toList();
        boolean listed =
                !presenceOpen || begun.nanos() - listedAtNanos < (place.isEmpty() ? LISTING_NANOS : PRESENCE_NANOS);
        return new Check(restarts, begun, isFresh() && listed, ours, List.of(from), place, expected, newestOwn);
    }

    private void ensure(boolean newestToo, long interval) throws IOException {
        while (!run(begin(newestToo, interval))) {
            // the history was restarted in the meantime
        }
    }

    /** Runs a check without a lock. Returns whether its result counts. */
    private boolean run(Check check) throws IOException {
        String now = placeOr(check.place());
        boolean moved = !check.place().equals(MISSING) && !now.equals(check.place());
        WrittenFile missing = moved ? null : missing(check.expected());
        if (check.fresh() && !moved && missing == null) {
            return check.expected().isEmpty() || arePresent(check);
        }
        if (missing != null && !isMerged(missing.file().maxTxid())) {
            throw lost("level " + missing.file().level() + " no longer contains "
                    + missing.file().name());
        }
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(check.from(), files::add);
        if (Chain.end(files).isBefore(check.ours())) { // a listing in no order of levels may miss a merge
            files.clear();
            client.listAll(check.from(), files::add);
        }
        return isProven(check, files, now, moved);
    }

    private @Nullable WrittenFile missing(List<WrittenFile> expected) throws IOException {
        for (WrittenFile own : expected) {
            if (!own.isPresent(client)) {
                return own;
            }
        }
        return null;
    }

    /** Records that the expected files are present. Returns whether that counts. */
    private synchronized boolean arePresent(Check check) {
        if (check.restarts() != restarts) {
            return false;
        }
        present(check);
        return true;
    }

    @GuardedBy("this")
    private void present(Check check) {
        presentAtNanos = check.begun().nanos();
        presenceOpen &= !Objects.equals(check.newestOwn(), newestOwn);
        newestAtCheck = check.newestOwn();
    }

    /** Records a proof by the files that were listed. Returns whether it counts. */
    private synchronized boolean isProven(Check check, List<LtxFileInfo> files, String now, boolean moved)
            throws IOException {
        if (check.restarts() != restarts) {
            return false;
        }
        Txid seen = Txid.NONE;
        boolean foreign = false;
        for (LtxFileInfo file : files) {
            if (!moved) {
                check(file);
            }
            foreign |= isForeign(file);
            seen = Txid.max(seen, file.maxTxid());
        }
        if (foreign) { // it is compared, as at the start
            throw lost("another folder or file system is in its place, with transactions up to " + seen);
        }
        if (seen.isBefore(check.ours())) {
            throw lost("transactions up to " + check.ours() + " were written there, but "
                    + (moved ? "another folder or file system is in its place" : "they no longer exist"));
        }
        ensureUnbroken(check, files);
        place = place.equals(MISSING) ? place : now;
        listedAtNanos = check.begun().nanos();
        present(check);
        renew(check.begun());
        return true;
    }

    /** Checks that the files lead to the newest transaction. A break is reported once. */
    @GuardedBy("this")
    private void ensureUnbroken(Check check, List<LtxFileInfo> files) throws ReplicaLostException {
        Txid reached = Chain.end(files);
        boolean broken = reached.isBefore(check.ours());
        if (broken && !breakReported) {
            breakReported = true;
            throw lost("no file continues transaction " + reached + ", but transactions up to " + check.ours()
                    + " were written there");
        }
        breakReported = broken;
        if (!broken) {
            skipUnneeded(files);
        }
    }

    /** Excludes files from later listings that are not needed to restore what follows the newest snapshot. */
    @GuardedBy("this")
    private void skipUnneeded(List<LtxFileInfo> files) {
        Txid snapshot = Txid.NONE;
        for (LtxFileInfo file : files) {
            if (file.level() == ReplicaClient.SNAPSHOT_LEVEL) {
                snapshot = Txid.max(snapshot, file.maxTxid());
            }
        }
        for (LtxFileInfo file : files) {
            if (file.level() < ReplicaClient.SNAPSHOT_LEVEL && !file.minTxid().isAfter(snapshot.next())) {
                from[file.level()] = Txid.max(from[file.level()], file.minTxid());
            }
        }
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

    @GuardedBy("this")
    private boolean isForeign(LtxFileInfo file) {
        boolean own = (file.level() == claimedLevel && file.name().equals(claimed))
                || (file.level() == publishingLevel && file.name().equals(publishing));
        return file.maxTxid().isAfter(ours) && !own;
    }

    @GuardedBy("this")
    private void check(LtxFileInfo file) throws ReplicaConflictException {
        if (isForeign(file)) {
            throw new ReplicaConflictException(
                    client.url(),
                    "level " + file.level() + " holds " + file.name()
                            + ", which this process did not write (its own last transaction is " + ours + ")",
                    "stop the other writer, or give one of them another replica URL; then restart this application",
                    null);
        }
    }
}
