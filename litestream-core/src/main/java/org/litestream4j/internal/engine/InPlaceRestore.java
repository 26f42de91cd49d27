package org.litestream4j.internal.engine;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.LitestreamException;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.CopiedException;
import org.litestream4j.internal.files.FreeSpace;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.internal.jdbc.ApplicationConnections;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restores another state into a live database. The state is first restored to a side file, then copied in within one
 * write transaction, while the application's connections are held back between two transactions. Capture and TXIDs
 * continue. Only one restore runs at a time.
 *
 * <p>The copy is a task of the capture lane. Before it begins, no connection is held back, and the caller can cancel
 * it. Once it has begun, the caller waits for its outcome.
 */
final class InPlaceRestore {

    private static final Logger log = LoggerFactory.getLogger(InPlaceRestore.class);

    /** Longest wait for a copy that has begun, in addition to the caller's timeout. */
    static final Duration COPY_TIMEOUT = Duration.ofMinutes(10);

    private static final long POLL_MILLIS = 100;

    /** Free space in bytes below which the disk counts as full. */
    private static final long FULL_BYTES = 1 << 20;

    private final DatabaseConfig config;
    private final CallerWaits waits;
    private final Lanes lanes;
    private final ApplicationConnections connections;
    private final Path side;
    private final AtomicBoolean running = new AtomicBoolean();
    private volatile boolean copying;
    private volatile boolean stopped;

    /** Whether the caller no longer waits for the copy, so that the lane must clean up. */
    private volatile boolean abandoned;

    InPlaceRestore(Lanes lanes, CallerWaits waits, ApplicationConnections connections) {
        this.config = lanes.config;
        this.waits = waits;
        this.lanes = lanes;
        this.connections = connections;
        this.side = lanes.config.metaPath().resolve("restore").resolve("in-place.db");
    }

    /**
     * @param timeout longest duration of each of three waits: for the replication of the current state; for the
     *     lane and the application's writers; for the replication of the restored state
     */
    InPlaceRestoreResult run(RestoreOptions options, Duration timeout) throws IOException, InterruptedException {
        if (!running.compareAndSet(false, true)) {
            throw failure("another restore is running", "wait until it ends", null);
        }
        try {
            return runAlone(options, timeout);
        } finally {
            if (!abandoned) {
                running.set(false);
            }
        }
    }

    /**
     * Cancels a restore whose copy has not begun, and prevents further restores, because the database is being closed.
     * Thread-safe.
     */
    void stop() {
        stopped = true;
    }

    /** Returns whether a state is being copied into the database, which cannot be cancelled. Thread-safe. */
    boolean isCopying() {
        return copying;
    }

    private InPlaceRestoreResult runAlone(RestoreOptions options, Duration timeout)
            throws IOException, InterruptedException {
        BooleanSupplier cancelled = () -> stopped || options.cancelled().getAsBoolean();
        waits.sync(timeout, cancelled);
        deleteSideFile();
        PrivateFiles.createDirectories(requireNonNull(side.getParent()));
        try {
            RestoreResult restored = lanes.operations.restore(() ->
                    Restore.restore(lanes.client, side, lanes.counters.observing(sideOptions(options, cancelled))));
            Copied copied = copyIn(restored, cancelled, timeout);
            boolean replicated = isReplicated(timeout, cancelled);
            log.info(
                    "database restored in place: db={} restored-txid={} before={} after={} replicated={}",
                    config.name(),
                    restored.txid(),
                    copied.before(),
                    copied.after(),
                    replicated);
            return new InPlaceRestoreResult(restored, copied.before(), copied.after(), replicated);
        } finally {
            if (!abandoned) {
                deleteSideFile();
            }
        }
    }

    /** Deletes the side file, including one left by a killed process. */
    void deleteSideFile() throws IOException {
        for (String suffix : new String[] {"", "-wal", "-shm", "-journal"}) {
            Files.deleteIfExists(side.resolveSibling(side.getFileName() + suffix));
        }
    }

    /**
     * Returns whether the restore is on the replica. The restore is complete even if the replica cannot be reached now,
     * or if the caller is interrupted.
     */
    private boolean isReplicated(Duration timeout, BooleanSupplier cancelled) {
        try {
            waits.sync(timeout, cancelled);
            return true;
        } catch (IOException e) {
            log.warn("restored in place, but not on the replica yet: db={}", config.name(), e);
        } catch (InterruptedException e) {
            log.warn("restored in place, interrupted before it was on the replica: db={}", config.name());
            Thread.currentThread().interrupt();
        }
        return false;
    }

    /** Returns the options that apply to the side file. */
    private static RestoreOptions sideOptions(RestoreOptions options, BooleanSupplier cancelled) {
        return RestoreOptions.builder()
                .target(options.target())
                .integrityCheck(options.integrityCheck())
                .compareChecksum(options.compareChecksum())
                .parallelism(options.parallelism())
                .cancelled(cancelled)
                .listener(options.listener())
                .clock(options.clock())
                .build();
    }

    private Copied copyIn(RestoreResult restored, BooleanSupplier cancelled, Duration timeout)
            throws IOException, InterruptedException {
        AtomicBoolean interrupted = new AtomicBoolean();
        long deadline = System.nanoTime() + timeout.toNanos();
        BooleanSupplier givenUp = () -> interrupted.get() || cancelled.getAsBoolean();
        LaneTask<Optional<Copied>> task =
                lanes.captureLane.submit(capture -> copy(capture, restored, givenUp, deadline));
        Optional<Copied> copied = await(task, cancelled, interrupted, deadline);
        if (copied.isPresent()) {
            if (interrupted.get()) {
                Thread.currentThread().interrupt(); // too late to cancel
            }
            return copied.get();
        }
        if (interrupted.get()) {
            throw new InterruptedException(interruptedText());
        }
        if (cancelled.getAsBoolean()) {
            throw cancelled();
        }
        throw failure(
                "other connections kept it busy for " + timeout.toMillis() + " ms, nothing was changed",
                "end long transactions and try again",
                null);
    }

    /** Waits for the outcome of the copy. A caller that times out before the copy begins withdraws it. */
    private Optional<Copied> await(
            LaneTask<Optional<Copied>> task, BooleanSupplier cancelled, AtomicBoolean interrupted, long deadline)
            throws IOException, InterruptedException {
        while (true) {
            try {
                return task.result().get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // checked below
            } catch (InterruptedException e) {
                interrupted.set(true);
            } catch (ExecutionException e) {
                if (interrupted.get()) {
                    Thread.currentThread().interrupt();
                }
                throw failed(requireNonNull(e.getCause()));
            }
            String hindrance = hindrance(deadline);
            boolean giveUp = interrupted.get() || cancelled.getAsBoolean() || hindrance != null;
            if (giveUp && task.withdraw()) {
                if (interrupted.get()) {
                    throw new InterruptedException(interruptedText());
                }
                throw hindrance == null ? cancelled() : failure(hindrance + ", nothing was changed", "", null);
            }
            if (System.nanoTime() - deadline > COPY_TIMEOUT.toNanos()) {
                abandoned = true;
                throw failure(
                        "the copy has started but does not end; its outcome is unknown",
                        "compare the content of the database; the log reports the end of the copy",
                        null);
            }
        }
    }

    /** Returns the reason for which the lane does not reach the copy; null if waiting is useful. */
    private @Nullable String hindrance(long deadline) {
        if (lanes.haveStopped()) {
            return text("replication has stopped");
        }
        if (lanes.captureLane.isPauseRequested()) {
            return "it is paused";
        }
        return System.nanoTime() - deadline > 0 ? text("the capture lane did not start the copy in time") : null;
    }

    private String text(String problem) {
        DatabaseStatus status = lanes.status();
        if (status.lastError() == null) {
            return problem + " (" + status.state() + ")";
        }
        String full = lanes.progress.isDiskFull() ? ", the disk is full" : "";
        return problem + " (" + status.state() + full + ", last error: " + status.lastError() + ")";
    }

    private String interruptedText() {
        return config.path() + ": interrupted before the restore in place, nothing was changed, and nothing will be";
    }

    private LitestreamException cancelled() {
        return failure("cancelled, nothing was changed", "", null);
    }

    private IOException failed(Throwable cause) {
        if (cause instanceof CopiedException) {
            return failure(
                    "the state was copied in, but is not captured yet: " + cause.getMessage()
                            + (lanes.progress.isDiskFull() || DiskFull.isCauseOf(cause) ? " (the disk is full)" : ""),
                    "wait until the database is captured, which is retried; do not repeat the restore",
                    cause);
        }
        if (cause instanceof IOException failure) {
            return failure;
        }
        return failure(String.valueOf(cause), "", cause);
    }

    /** Copies the side file. Runs on the capture lane. */
    private Optional<Copied> copy(Capture capture, RestoreResult restored, BooleanSupplier givenUp, long deadline)
            throws IOException {
        if (capture.pageSize() != restored.pageSize()) {
            throw failure(
                    "its pages have " + capture.pageSize() + " bytes, but those of the state to restore have "
                            + restored.pageSize(),
                    "stop the application and restore into the file from the command line",
                    null);
        }
        if (givenUp.getAsBoolean()) {
            return Optional.empty();
        }
        requireSpace();
        Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
        copying = true;
        connections.holdBack(left);
        try {
            Optional<Copied> copied = capture.restoreInPlace(
                            side, restored.pages(), restored.writtenChecksum(), left, givenUp)
                    .map(before -> new Copied(before, capture.captured()));
            if (copied.isEmpty() && !givenUp.getAsBoolean() && FreeSpace.of(config.path()) < FULL_BYTES) {
                throw full(Files.size(side), "beside the database", FreeSpace.of(config.path()));
            }
            return copied;
        } finally {
            connections.admit();
            copying = false;
            if (abandoned) {
                log.warn("a restore in place has ended after its caller stopped waiting: db={}", config.name());
                abandoned = false;
                deleteSideFile();
                running.set(false);
            }
        }
    }

    /**
     * Checks the free disk space. The whole side file is written to the WAL, and from there to a level-0 file, which
     * compression may not shrink.
     */
    private void requireSpace() throws IOException {
        long needed = Files.size(side);
        long localNeeded = needed;
        long localAvailable = FreeSpace.of(requireNonNull(side.getParent()));
        if (FreeSpace.isShared(config.path(), requireNonNull(side.getParent()))) {
            needed += localNeeded;
        } else if (localAvailable < localNeeded) {
            throw full(localNeeded, "in " + side.getParent(), localAvailable);
        }
        long free = FreeSpace.of(config.path());
        long reused = walSize();
        if (free < needed - reused) {
            throw full(needed, "beside the database", free + reused);
        }
    }

    private LitestreamException full(long needed, String place, long available) {
        return failure(
                "the disk is full: the copy needs " + (needed >> 10) + " KiB " + place + ", " + (available >> 10)
                        + " KiB are free; nothing was changed",
                "make room there and try again",
                null);
    }

    private long walSize() throws IOException {
        Path path = config.path().toRealPath();
        try {
            return Files.size(path.resolveSibling(path.getFileName() + "-wal"));
        } catch (NoSuchFileException e) {
            return 0;
        }
    }

    private LitestreamException failure(String problem, String remedy, @Nullable Throwable cause) {
        return new LitestreamException(
                config.path().toString(), "cannot be restored in place: " + problem, remedy, cause);
    }

    /** The captured transactions before and after the copy. */
    private record Copied(Txid before, Txid after) {}
}
