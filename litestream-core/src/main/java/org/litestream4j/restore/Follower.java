package org.litestream4j.restore;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.internal.files.SiblingNames;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxMerger;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.restore.FollowState.Step;
import org.litestream4j.restore.RestoreException.Reason;

/** Keeps a standby up to date until cancelled: lists new files, merges them into one local file and applies that file. */
final class Follower {

    private static final Duration BUSY_TIMEOUT = Duration.ofSeconds(5);

    private static final Duration MAX_PAUSE = Duration.ofSeconds(30);

    private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private static final int MAX_DAMAGED = 2;

    /** Maximum number of consecutive polls in which the replica may appear to have gone back to an older state. */
    private static final int MAX_BEHIND = 3;

    private final ReplicaClient replica;
    private final Path path;
    private final RestoreOptions options;
    private final Duration interval;
    private final FollowListener listener;
    private final BooleanSupplier cancelled;
    private final TargetFile target;
    private final FollowListing listing;

    private @Nullable StandbyFile standby;
    private @Nullable String problem;

    /** Header of the level-0 file that was applied last; null if unknown. */
    private @Nullable LtxHeader last;

    private int failures;
    private int behind;

    Follower(ReplicaClient replica, Path path, RestoreOptions options, Duration interval, FollowListener listener)
            throws IOException {
        this.replica = replica;
        this.options = options;
        this.interval = interval;
        this.listener = listener;
        this.cancelled = () ->
                options.cancelled().getAsBoolean() || Thread.currentThread().isInterrupted();
        this.target = TargetFile.of(path, options, replica.url());
        this.path = target.path();
        this.listing = new FollowListing(replica, System::nanoTime);
    }

    void run() throws IOException {
        try {
            begin();
            while (!cancelled.getAsBoolean()) {
                if (!stepOrReport()) {
                    pause(failures);
                }
            }
        } catch (StopSignal.StoppedException e) {
            return; // cancelled in the middle of a download
        } catch (LtxFormatException e) {
            throw new RestoreException(
                    Reason.DAMAGED,
                    replica.url(),
                    Objects.toString(e.getMessage(), "damaged file"),
                    "the standby stays at its last state; bring back that file from a copy of the replica",
                    e);
        } finally {
            closeStandby();
        }
    }

    /** Runs a step and reports transient failures. Returns whether more work may be available immediately. */
    private boolean stepOrReport() throws IOException {
        try {
            boolean more = step();
            failures = 0;
            return more;
        } catch (ReplicaAccessException | StopSignal.StoppedException e) {
            throw e;
        } catch (LtxFormatException e) {
            boolean leftOut = failures > 0 && listing.exclude(e); // a first failure may be a transmission error
            if (!leftOut && failures >= MAX_DAMAGED) {
                throw e;
            }
            fail(e);
        } catch (RestoreException e) {
            if (e.reason() != Reason.VANISHED) {
                throw e;
            }
            fail(e);
        } catch (IOException e) {
            fail(e);
        }
        return false;
    }

    private void fail(IOException e) {
        failures++;
        report(e);
    }

    private void begin() throws IOException {
        if (Files.exists(path) && Files.size(path) > 0) {
            target.deleteStaleTemporaries();
            Optional<StandbyFile> found = StandbyFile.open(path, BUSY_TIMEOUT, cancelled, replica.url());
            if (found.isPresent()) {
                standby = found.get();
                listener.onState(new FollowState(Step.RESUMED, path, standby.txid(), null, 0));
                return;
            }
            if (!options.force()) {
                throw new RestoreException(
                        Reason.TARGET_EXISTS,
                        replica.url(),
                        path
                                + " exists, and is not as a follower left it: it is not a standby, or another"
                                + " program wrote to it",
                        "follow into another file, or use {force} to replace it",
                        null);
            }
        }
        RestoreResult result = restore();
        standby = reopen();
        listener.onState(new FollowState(Step.RESTORED, path, result.txid(), result.timestamp(), result.pages()));
    }

    private RestoreResult restore() throws IOException {
        StandbyPosition position = new StandbyPosition(path);
        boolean done = false;
        try {
            RestoreResult result = new RestoreJob(
                            replica,
                            path,
                            options,
                            (temporary, newest) -> position.announce(newest.maxTxid(), makeStandby(temporary, newest)))
                    .run();
            done = true;
            position.record();
            return result;
        } finally {
            if (!done) {
                position.withdraw();
            }
        }
    }

    /** Returns the change counter of the new standby. */
    private int makeStandby(Path file, LtxHeader newest) throws IOException {
        if (newest.commit() == 0) {
            throw empty();
        }
        byte[] first = new byte[newest.pageSize()];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            StandbyUpdate.readPage(channel, 1, first);
            byte[] previous = StandbyFile.header(path).orElse(first);
            StandbyHeader.write(first, previous, previous != first, newest.maxTxid(), newest.commit());
            ByteBuffer buffer = ByteBuffer.wrap(first);
            while (buffer.hasRemaining()) {
                channel.write(buffer, buffer.position());
            }
            channel.force(true);
            return StandbyHeader.changeCounter(first);
        }
    }

    private RestoreException empty() {
        return new RestoreException(
                Reason.NO_BACKUP, replica.url(), "the database has no pages yet", "follow once it has", null);
    }

    private StandbyFile reopen() throws IOException {
        if (!Files.exists(path)) {
            throw lost();
        }
        return StandbyFile.open(path, BUSY_TIMEOUT, cancelled, replica.url())
                .orElseThrow(() -> new RestoreException(
                        Reason.TARGET_EXISTS,
                        replica.url(),
                        "another program has written to " + path + ", or replaced it",
                        "follow into another file, or use {force} to replace it",
                        null));
    }

    private void requireInPlace(StandbyFile file) throws IOException {
        if (!file.isInPlace()) {
            throw lost();
        }
    }

    private RestoreException lost() {
        return new RestoreException(
                Reason.TARGET_EXISTS,
                replica.url(),
                path + " was deleted, or replaced by another file, while it was followed",
                "follow again: what is missing is restored",
                null);
    }

    /** Returns whether more work may be available immediately. */
    private boolean step() throws IOException {
        StandbyFile file = standby;
        if (file == null) {
            file = reopen();
            standby = file;
        }
        requireInPlace(file);
        FollowListing.Found found = listing.after(file.txid());
        if (found.isBehind()) {
            return goBack(file, found.newest());
        }
        behind = 0;
        if (found.files().isEmpty()) {
            if (found.isOvertaken()) {
                copy(file);
                return true;
            }
            recovered();
            return false;
        }
        Path merged = target.createTemporary();
        try {
            FollowBatch batch = FollowBatch.open(replica, found.files(), file.pageSize(), cancelled);
            if (batch == null) { // the page size has changed
                copy(file);
                return true;
            }
            if (options.compareChecksum()
                    && !batch.leadsOnFrom(replica, last)) { // a full image, or a different history
                batch.close();
                copy(file);
                return true;
            }
            LtxHeader newest = batch.newestOfLevel0();
            LtxHeader header = merge(batch, merged);
            apply(
                    file,
                    new StandbyUpdate.Increment(merged, header),
                    header.maxTxid(),
                    Step.APPLIED,
                    header.timestampMillis());
            last = newest;
            return true;
        } finally {
            target.discard(merged);
        }
    }

    private static LtxHeader merge(FollowBatch batch, Path merged) throws IOException {
        try (LtxMerger merger = LtxMerger.open(batch.readers());
                OutputStream out = new BufferedOutputStream(PrivateFiles.newOutputStream(merged), 1 << 16)) {
            merger.writeTo(out, PageEncoding.BLOCK);
            return merger.header();
        }
    }

    private boolean goBack(StandbyFile file, Txid newest) throws IOException {
        listing.listAllLevels();
        if (newest.isNone()) { // an unmounted disk is a transient failure
            throw new RestoreException(
                    Reason.VANISHED,
                    replica.url(),
                    "it is empty, but the standby is at TXID " + file.txid() + ", and stays there",
                    "bring the replica's files back; if the replica starts over, follow again and use {force}",
                    null);
        }
        if (++behind < MAX_BEHIND) {
            return false;
        }
        if (options.force()) {
            copy(file);
            behind = 0;
            return true;
        }
        throw new RestoreException(
                Reason.TXID_NOT_AVAILABLE,
                replica.url(),
                "it ends at TXID " + newest + ", but the standby is at " + file.txid() + ": the replica was"
                        + " started over",
                "use {force} to replace the standby",
                null);
    }

    /** Restores to a file beside the standby and applies the pages that differ. */
    private void copy(StandbyFile file) throws IOException {
        Path side = path.resolveSibling(SiblingNames.of(".", path, "-follow".length()) + "-follow");
        RestoreOptions toSide = RestoreOptions.builder()
                .force(true)
                .integrityCheck(options.integrityCheck())
                .compareChecksum(options.compareChecksum())
                .parallelism(options.parallelism())
                .cancelled(cancelled)
                .clock(options.clock())
                .build();
        try {
            RestoreResult result;
            try {
                result = new RestoreJob(replica, side, toSide, (temporary, newest) -> {}).run();
            } catch (RestoreException e) {
                if (e.reason() == Reason.CANCELLED) {
                    throw new StopSignal.StoppedException();
                }
                throw e;
            }
            StandbyUpdate image = new StandbyUpdate.Image(side, result.pageSize(), result.pages());
            apply(file, image, result.txid(), Step.COPIED, result.timestamp().toEpochMilli());
        } finally {
            Files.deleteIfExists(side);
        }
    }

    private void apply(StandbyFile file, StandbyUpdate update, Txid to, Step step, long timestamp) throws IOException {
        if (update.commit() == 0) {
            throw empty();
        }
        long pages;
        for (int attempt = 1; ; attempt++) {
            requireInPlace(file);
            try {
                pages = file.apply(update, to);
            } catch (IOException e) {
                closeStandby(); // opening the file again rolls back
                throw e;
            }
            if (pages >= 0) {
                break;
            }
            report(new IOException("readers keep " + path + " busy: it stays at TXID " + file.txid()));
            pause(attempt);
            if (cancelled.getAsBoolean()) {
                throw new StopSignal.StoppedException();
            }
        }
        problem = null;
        last = null;
        listing.forgetDamage();
        listener.onState(new FollowState(step, path, to, Instant.ofEpochMilli(timestamp), pages));
    }

    private void report(IOException e) {
        listing.listAllLevels();
        String kind = e.getClass().getName();
        if (!kind.equals(problem)) {
            problem = kind;
            listener.onProblem(e);
        }
    }

    private void recovered() {
        if (problem != null) {
            problem = null;
            listener.onRecovered();
        }
    }

    /** Waits for the poll interval, or longer after failures. */
    private void pause(int failures) {
        long nanos = interval.toNanos();
        for (int i = 1; i < failures && nanos < MAX_PAUSE.toNanos(); i++) {
            nanos = Math.min(2 * nanos, MAX_PAUSE.toNanos());
        }
        long deadline = System.nanoTime() + nanos;
        for (long left = nanos; left > 0 && !cancelled.getAsBoolean(); left = deadline - System.nanoTime()) {
            LockSupport.parkNanos(Math.min(left, SLICE_NANOS));
        }
    }

    private void closeStandby() throws IOException {
        StandbyFile file = standby;
        standby = null;
        if (file != null) {
            file.close();
        }
    }
}
