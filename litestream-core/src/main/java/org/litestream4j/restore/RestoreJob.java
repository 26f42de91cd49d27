package org.litestream4j.restore;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.restore.PageImage.UnwritableException;
import org.litestream4j.restore.PlanReader.PageSizeChangedException;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreProgress.Phase;

/**
 * One restore, from the plan to the file at its final place. Makes a new plan if planned files have vanished, changed
 * or are damaged.
 */
final class RestoreJob {

    static final int MAX_PLANS = 6;

    private static final long PAUSE_MILLIS = 100;

    /** Approximate size of a part, in bytes; files are streamed, so memory use does not depend on it. */
    private static final long PART_SIZE = 8 * 1024 * 1024;

    private final ReplicaClient replica;
    private final RestoreOptions options;
    private final Path givenTarget;
    private final long partSize;
    private final int maxIndex;
    private final Finishing finishing;
    private final long started = System.nanoTime();

    private RestoreCounters counters = new RestoreCounters();
    private Phase phase = Phase.PLANNING;
    private long readingStarted = started;
    private long totalBytes;
    private long totalPages;
    private int totalFiles;
    private OptionalLong provenChecksum = OptionalLong.empty();
    private long writtenChecksum;
    private Txid baseTxid = Txid.NONE;
    private Map<LtxFileName, LtxHeader> level0Headers = Map.of();

    RestoreJob(ReplicaClient replica, Path target, RestoreOptions options) {
        this(replica, target, options, PART_SIZE);
    }

    /** @param partSize approximate size of a part in bytes; larger files are read in parts */
    RestoreJob(ReplicaClient replica, Path target, RestoreOptions options, long partSize) {
        this(replica, target, options, partSize, LargeFile.MAX_INDEX);
    }

    /** @param maxIndex maximum size in bytes of a page index; files with a larger one are read as a whole */
    RestoreJob(ReplicaClient replica, Path target, RestoreOptions options, long partSize, int maxIndex) {
        this(replica, target, options, partSize, maxIndex, (temporary, newest) -> {});
    }

    /** @param finishing last changes to the file, made before it is checked and gets its final name */
    RestoreJob(ReplicaClient replica, Path target, RestoreOptions options, Finishing finishing) {
        this(replica, target, options, PART_SIZE, LargeFile.MAX_INDEX, finishing);
    }

    private RestoreJob(
            ReplicaClient replica,
            Path target,
            RestoreOptions options,
            long partSize,
            int maxIndex,
            Finishing finishing) {
        this.replica = replica;
        this.partSize = partSize;
        this.maxIndex = maxIndex;
        this.finishing = finishing;
        this.givenTarget = target;
        this.options = options;
    }

    RestoreResult run() throws IOException {
        TargetFile target = TargetFile.of(givenTarget, options, replica.url());
        target.check();
        try {
            Planning planning = new Planning(replica, options);
            int attempt = 1;
            while (true) {
                enter(Phase.PLANNING);
                try {
                    return restore(planning, target);
                } catch (Planning.TooNewException e) {
                    // the next plan omits that file
                } catch (LtxFormatException e) {
                    options.listener().onDamagedFile(String.valueOf(e.getMessage()));
                    planning.exclude(e);
                } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
                    if (attempt == MAX_PLANS) {
                        throw vanished(e);
                    }
                    new StopSignal().pause(PAUSE_MILLIS * attempt);
                    attempt++;
                }
            }
        } catch (StopSignal.StoppedException | ClosedByInterruptException e) {
            throw cancelled(e);
        }
    }

    private RestoreResult restore(Planning planning, TargetFile target) throws IOException {
        RestorePlan plan = planning.next();
        Path temporary = target.createTemporary();
        try {
            ReplicaClient local = options.local() == null ? replica : options.local();
            List<PlanSource> sources = PlanSource.of(plan, replica, local);
            LtxHeader newest = readUntilPageSizeIsOne(sources, temporary, header -> {
                planning.requireOldEnough(plan, header);
                target.requireSpace(header.commit() * header.pageSize());
            });
            if (options.compareChecksum()
                    && provenChecksum.isEmpty()
                    && !plan.files().isEmpty()) {
                WalChain.checkMerged(
                        replica,
                        planning.listed(),
                        level0Headers,
                        baseTxid,
                        plan.files().get(plan.files().size() - 1).maxTxid(),
                        options.parallelism(),
                        new StopSignal(options.cancelled()));
            }
            finishing.finish(temporary, newest);
            enter(Phase.CHECKING);
            IntegrityChecker.check(temporary, options.integrityCheck(), replica.url(), this::reportAndCheckCancelled);
            enter(Phase.PUBLISHING);
            List<Path> movedAside = target.publish(temporary);
            enter(Phase.DONE);
            return new RestoreResult(
                    target.path(),
                    newest.maxTxid(),
                    Instant.ofEpochMilli(newest.timestampMillis()),
                    newest.pageSize(),
                    newest.commit(),
                    provenChecksum,
                    writtenChecksum,
                    counters.bytesRead.get(),
                    totalFiles,
                    plan.localFiles().size(),
                    movedAside,
                    elapsed(started));
        } finally {
            target.discard(temporary);
        }
    }

    private LtxHeader readUntilPageSizeIsOne(List<PlanSource> plan, Path temporary, PlanReader.Begin begin)
            throws IOException {
        List<PlanSource> sources = plan;
        while (true) {
            try {
                return read(sources, temporary, begin);
            } catch (PageSizeChangedException e) {
                sources = sources.subList(e.file() + 1, sources.size());
            }
        }
    }

    private LtxHeader read(List<PlanSource> sources, Path temporary, PlanReader.Begin begin) throws IOException {
        counters = new RestoreCounters();
        totalFiles = sources.size();
        totalBytes = sources.stream().mapToLong(source -> source.info().size()).sum();
        readingStarted = System.nanoTime();
        enter(Phase.READING);
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            PlanReader reader = new PlanReader(
                    sources, channel, options.parallelism(), partSize, maxIndex, options.compareChecksum(), counters);
            LtxHeader newest = reader.read(
                    header -> {
                        totalPages = header.commit();
                        begin.accept(header);
                    },
                    this::reportAndCheckCancelled);
            provenChecksum = reader.provenChecksum();
            baseTxid = reader.baseTxid();
            level0Headers = reader.level0Headers();
            writtenChecksum = reader.databaseChecksum();
            return newest;
        } catch (UnwritableException e) {
            if (e.getCause() instanceof ClosedByInterruptException interrupt) {
                throw interrupt;
            }
            throw new IOException(
                    givenTarget + " cannot be written: " + e.getMessage() + "; make room, or restore to another disk",
                    e.getCause());
        }
    }

    /** Reports progress and returns whether the caller has cancelled the restore. */
    private boolean reportAndCheckCancelled() {
        report();
        return options.cancelled().getAsBoolean();
    }

    private void enter(Phase next) throws IOException {
        phase = next;
        if (reportAndCheckCancelled() && next != Phase.DONE) {
            throw new StopSignal.StoppedException();
        }
    }

    private void report() {
        options.listener()
                .onProgress(new RestoreProgress(
                        phase,
                        Math.min(counters.bytesRead.get(), totalBytes),
                        totalBytes,
                        counters.pagesInPlace.get(),
                        totalPages,
                        counters.filesVerified.get(),
                        totalFiles,
                        elapsed(started),
                        totalFiles == 0 ? Duration.ZERO : elapsed(readingStarted)));
    }

    private static Duration elapsed(long since) {
        return Duration.ofNanos(System.nanoTime() - since);
    }

    private RestoreException cancelled(IOException cause) {
        return new RestoreException(
                Reason.CANCELLED, replica.url(), "the restore was cancelled; nothing was changed", "", cause);
    }

    private RestoreException vanished(IOException cause) {
        return new RestoreException(
                Reason.VANISHED,
                replica.url(),
                "files were deleted or replaced before they could be read, " + MAX_PLANS + " times: "
                        + cause.getMessage(),
                "check whether something else deletes or replaces files there, and try again",
                cause);
    }

    /** Changes a restored file that does not have its final name yet. */
    @FunctionalInterface
    interface Finishing {
        /**
         * Changes the file and forces the change to the disk.
         *
         * @param newest header of the newest file
         */
        void finish(Path temporary, LtxHeader newest) throws IOException;
    }
}
