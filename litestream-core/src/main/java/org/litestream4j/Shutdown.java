package org.litestream4j;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.litestream4j.LitestreamEvent.Step;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of one database's replication, within its shutdown timeout: whether and when it began. What is left is captured and
 * uploaded, then the database is let go of. Thread-safe.
 */
final class Shutdown {

    private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

    /** How long a merge or snapshot may take to give up. */
    private static final Duration COMPACTION_STOP_TIMEOUT = Duration.ofSeconds(5);

    /** How long the upload that is going on may take beyond the shutdown timeout. */
    private static final Duration UPLOAD_STOP_TIMEOUT = Duration.ofSeconds(1);

    /** How long the capture that is going on may take beyond it. */
    private static final Duration CAPTURE_STOP_TIMEOUT = Duration.ofSeconds(10);

    private final Lanes lanes;
    private final PhysicalConnections connections;
    private final Pools pools;
    private final AtomicBoolean begun = new AtomicBoolean();
    private volatile long begunAt;

    Shutdown(Lanes lanes, PhysicalConnections connections, Pools pools) {
        this.lanes = lanes;
        this.connections = connections;
        this.pools = pools;
    }

    /** As {@link ManagedDatabase#finish}. */
    void begin(Duration drain) {
        if (begun.compareAndSet(false, true)) {
            connections.drain(drain);
            // A snapshot holds a reader, which the last checkpoint must not meet.
            lanes.compactionLane.stop(COMPACTION_STOP_TIMEOUT);
            begunAt = System.nanoTime();
            lanes.captureLane.finish();
            lanes.uploadLane.hurry();
        }
    }

    /** After it has begun: ends it, within the timeout; the last error, if not all is replicated then. Idempotent. */
    void complete() throws IOException {
        if (lanes.haveEnded()) {
            return;
        }
        long deadline = begunAt + lanes.config.shutdownSyncTimeout().toNanos();
        boolean done = awaitUninterruptibly(this::isDone, deadline);
        boolean whole = done
                && !lanes.uploadLane.isConflict()
                && !lanes.uploadLane.needsRecovery()
                && lanes.progress.failure(Step.CAPTURE) == null;
        LitestreamException unfinished =
                whole ? null : lanes.notReplicated("closed before everything was replicated", null);
        lanes.end();
        lanes.uploadLane.stop(UPLOAD_STOP_TIMEOUT);
        lanes.capture.stop();
        if (lanes.captureLane.stop(CAPTURE_STOP_TIMEOUT)) {
            release();
        } else {
            log.error("still busy, left open until the process ends: db={}", lanes.config.name());
            lanes.client.close();
        }
        if (unfinished != null) {
            throw unfinished;
        }
    }

    /** Whether nothing is left that waiting could help. */
    private boolean isDone() {
        return lanes.captureLane.isFinished()
                && (lanes.uploadLane.isConflict()
                        || lanes.uploadLane.needsRecovery()
                        || !lanes.captureLane.isAttached()
                        || !lanes.uploadLane.replicated().isBefore(lanes.capture.captured()));
    }

    /** On the capture pool: this thread may be interrupted, and an interrupted thread must not touch the database file. */
    private void release() throws IOException {
        Future<?> released = pools.capture.submit(() -> {
            lanes.capture.close();
            lanes.capture.disown();
            return null;
        });
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    released.get();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            throw new LitestreamException(lanes.config.path().toString(), "could not be closed", "", e.getCause());
        } finally {
            lanes.client.close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
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
