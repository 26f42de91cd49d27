package org.litestream4j.internal.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamException;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.jdbc.ApplicationConnections;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shutdown of one database's replication, within its timeout. Remaining changes are captured and uploaded, then the
 * database is released. Concurrent callers wait for each other and get the same result. Thread-safe.
 */
final class Shutdown {

    private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

    /** Longest wait for a merge or snapshot to be cancelled. */
    private static final Duration COMPACTION_STOP_TIMEOUT = Duration.ofSeconds(5);

    /** Longest time for which the current upload may exceed the shutdown timeout. */
    private static final Duration UPLOAD_STOP_TIMEOUT = Duration.ofSeconds(1);

    /** Longest time for which the current capture may exceed the shutdown timeout. */
    private static final Duration CAPTURE_STOP_TIMEOUT = Duration.ofSeconds(10);

    private final Lanes lanes;
    private final ApplicationConnections connections;
    private final InPlaceRestore inPlaceRestore;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private boolean begun;

    @GuardedBy("lock")
    private boolean completed;

    @GuardedBy("lock")
    private @Nullable IOException failure;

    @GuardedBy("lock")
    private long begunAt;

    Shutdown(Lanes lanes, ApplicationConnections connections, InPlaceRestore inPlaceRestore) {
        this.lanes = lanes;
        this.connections = connections;
        this.inPlaceRestore = inPlaceRestore;
    }

    /** Implements {@link DatabaseEngine#finish}. */
    void begin(Duration drain) {
        inPlaceRestore.stop(); // its caller may be the thread that keeps a connection open
        lock.lock();
        try {
            if (!begun) {
                begun = true;
                connections.drain(drain);
                // A snapshot holds a reader, which would obstruct the last checkpoint.
                lanes.compactionLane.stop(COMPACTION_STOP_TIMEOUT);
                begunAt = System.nanoTime();
                lanes.captureLane.finish();
                lanes.uploadLane.hurry();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Completes a shutdown that has begun, within the timeout. Idempotent.
     *
     * @throws IOException the last error, if not everything was replicated; the same for every caller
     */
    void complete() throws IOException {
        lock.lock();
        try {
            if (!completed) {
                failure = end();
                completed = true;
            }
            if (failure != null) {
                throw failure;
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private @Nullable IOException end() {
        long deadline = begunAt + lanes.config.shutdownSyncTimeout().toNanos();
        boolean done = awaitUninterruptibly(this::isDone, deadline);
        LaneStates.View now = lanes.laneStates.now();
        boolean whole = done
                && !now.conflict()
                && !now.upload().needsRecovery()
                && lanes.progress.failure(Step.CAPTURE) == null;
        LitestreamException unfinished = whole
                ? null
                : lanes.notReplicated("closed before everything was replicated", lanes.progress.conflict());
        lanes.end();
        lanes.uploadLane.stop(UPLOAD_STOP_TIMEOUT);
        lanes.capture.stop();
        IOException unreleased = release();
        try {
            lanes.client.close();
        } catch (IOException e) {
            unreleased = unreleased != null ? unreleased : e;
        }
        return unfinished != null ? unfinished : unreleased;
    }

    /** Returns whether further waiting is pointless. */
    private boolean isDone() {
        LaneStates.View now = lanes.laneStates.now();
        return now.capture().finished()
                && (now.conflict()
                        || now.upload().needsRecovery()
                        || !now.capture().attached()
                        || (!lanes.uploadLane.replicated().isBefore(lanes.capture.captured())
                                && lanes.uploadLane.isChecked()));
    }

    /**
     * Releases the database on the lane after its current run, even if no thread waits any more; another engine can
     * then take over. Waits for a restore in place that is being copied in, so that nothing changes the database after
     * the shutdown.
     */
    private @Nullable IOException release() {
        CompletableFuture<Void> released = new CompletableFuture<>();
        AtomicBoolean late = new AtomicBoolean();
        lanes.captureLane.end(() -> releaseOnLane(released, late));
        long deadline = System.nanoTime() + CAPTURE_STOP_TIMEOUT.toNanos();
        boolean over = awaitUninterruptibly(released::isDone, deadline);
        if (!over && inPlaceRestore.isCopying()) {
            log.warn("waiting for a restore in place that is being copied in: db={}", lanes.config.name());
            over = awaitUninterruptibly(released::isDone, deadline + InPlaceRestore.COPY_TIMEOUT.toNanos());
        }
        if (!over) {
            late.set(true);
            lanes.capture.leaveOpen();
            over = released.isDone();
        }
        if (!over) {
            log.error("capture still running, the database stays open until it ends: db={}", lanes.config.name());
            return null;
        }
        return released.handle((none, e) -> e == null
                        ? null
                        : new LitestreamException(lanes.config.path().toString(), "could not be closed", "", e))
                .getNow(null);
    }

    /** @param late whether no thread waits for the release any more */
    private void releaseOnLane(CompletableFuture<Void> released, AtomicBoolean late) {
        try {
            try {
                lanes.capture.close();
            } finally {
                lanes.capture.releaseLocalState();
            }
            if (late.get()) {
                log.info("database released after the shutdown: db={}", lanes.config.name());
                Capture.closeUnusedFiles();
            }
            released.complete(null);
        } catch (Throwable e) {
            log.debug("releasing a database failed: db={}", lanes.config.name(), e);
            released.completeExceptionally(e);
        }
        lanes.progress.signal();
    }

    private boolean awaitUninterruptibly(BooleanSupplier condition, long deadline) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    lanes.progress.await(condition, Duration.ofNanos(deadline - System.nanoTime()));
                    return true;
                } catch (TimeoutException e) {
                    return false;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
