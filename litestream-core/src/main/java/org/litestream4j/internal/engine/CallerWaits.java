package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.NotReplicatedException;
import org.litestream4j.ReplicationTimeoutException;
import org.litestream4j.internal.engine.ReplicationWaits.Urgency;
import org.litestream4j.internal.engine.ReplicationWaits.Wait;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits of callers' threads for the lanes: decides which threads to wake and when waiting is pointless, and creates the
 * errors of failed waits. Holds no state; the waiting threads are registered in {@link ReplicationWaits}. Thread-safe.
 */
final class CallerWaits {

    private static final Logger log = LoggerFactory.getLogger(CallerWaits.class);

    /** Maximum time for which the application's first connection waits until the engine has opened the database. */
    private static final Duration ATTACH_TIMEOUT = Duration.ofSeconds(10);

    /** Interval at which a waiting thread polls for cancellation. */
    private static final Duration ASK_INTERVAL = Duration.ofMillis(250);

    private final Lanes lanes;

    CallerWaits(Lanes lanes) {
        this.lanes = lanes;
    }

    /**
     * Implements {@link ManagedDatabase#sync}.
     *
     * @param cancelled polled several times a second; returns true to end the wait with an error
     */
    void sync(Duration timeout, BooleanSupplier cancelled) throws IOException, InterruptedException {
        long failures = lanes.progress.failures();
        Wait wait = lanes.waits.begin(Urgency.NOW);
        lanes.captureLane.wake();
        lanes.uploadLane.waiterAdded();
        BooleanSupplier hopeless =
                () -> lanes.haveStopped() || lanes.progress.isRefusedSince(failures) || cancelled.getAsBoolean();
        if (!lanes.waits.await(wait, timeout, ASK_INTERVAL, hopeless)) {
            String problem = "not replicated within " + timeout.toMillis() + " ms";
            if (lanes.haveStopped()) {
                problem = "replication has stopped";
            } else if (lanes.progress.isRefusedSince(failures)) {
                problem = "not replicated";
            } else if (cancelled.getAsBoolean()) {
                problem = "cancelled before all was replicated";
            }
            throw lanes.notReplicated(problem, null);
        }
    }

    /** Implements {@link ManagedDatabase#awaitReplicated} and {@link ManagedDatabase#awaitNextSync}. */
    void awaitReplicated(Urgency urgency, Duration timeout) {
        lanes.operations.observe(
                Kind.COMMIT_WAIT,
                LitestreamOperation.NO_LEVEL,
                txid -> Outcome.succeeded(txid, 0),
                () -> awaitTxid(urgency, timeout));
    }

    /** Waits and returns the transaction that is now on the replica. */
    private Txid awaitTxid(Urgency urgency, Duration timeout) {
        Wait wait = lanes.waits.begin(urgency);
        lanes.uploadLane.waiterAdded();
        if (urgency == Urgency.NEXT_SYNC) {
            lanes.captureLane.checkForCommits();
        } else if (!lanes.uploadLane.replicated().isBefore(lanes.capture.captured()) && lanes.waits.isTurn()) {
            // the end of a running upload wakes the lane
            lanes.captureLane.wake();
        }
        boolean replicated = false;
        boolean interrupted = false;
        try {
            replicated = lanes.waits.await(wait, timeout, timeout, () -> isHopeless(wait));
        } catch (InterruptedException e) {
            interrupted = true;
            Thread.currentThread().interrupt();
        }
        Txid txid = lanes.waits.txid(wait);
        if (!replicated || txid == null) {
            throw notReplicated(txid, interrupted, timeout);
        }
        return txid;
    }

    /**
     * Returns whether waiting is pointless. Includes a pause and a passive engine: this process captures nothing then,
     * and no other process reports its progress.
     */
    private boolean isHopeless(Wait wait) {
        CaptureState capture = lanes.laneStates.now().capture();
        boolean uncaptured = lanes.waits.txid(wait) == null;
        return lanes.haveStopped()
                || (uncaptured && (capture.passive() || (lanes.captureLane.isPauseRequested() && !capture.attached())));
    }

    private NotReplicatedException notReplicated(@Nullable Txid txid, boolean interrupted, Duration timeout) {
        DatabaseStatus status = lanes.status();
        boolean timedOut = !interrupted
                && (status.state() == DatabaseState.REPLICATING || status.state() == DatabaseState.WAITING);
        String problem;
        if (interrupted) {
            problem = "the wait for the replica " + status.replica() + " was interrupted";
        } else if (timedOut) {
            problem = "not on the replica " + status.replica() + " after " + timeout.toMillis() + " ms";
        } else {
            problem = "replication to " + status.replica() + " is "
                    + status.state().name().toLowerCase(Locale.ROOT);
        }
        Txid least = txid != null ? txid : status.captured().next();
        String text = lanes.config.name() + ": committed locally, but " + problem
                + "; it is replicated when the replicated TXID (now "
                + status.replicated() + ") is "
                + (txid != null ? least + " or greater" : "greater than " + status.captured())
                + (status.lastError() != null ? "; last error: " + status.lastError() : "")
                + "; do not repeat the transaction: check the status, or wait again";
        return timedOut
                ? new ReplicationTimeoutException(lanes.config.name(), least, text)
                : new NotReplicatedException(lanes.config.name(), least, text);
    }

    /** Implements {@link ManagedDatabase#snapshot}. */
    Txid snapshot(Duration timeout) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        sync(timeout, () -> false);
        long failures = lanes.progress.failures();
        lanes.compactionLane.requireSnapshot();
        awaitCompaction(() -> !lanes.compactionLane.isSnapshotPending(), failures, deadline, "no snapshot");
        return lanes.compactionLane.status().newestSnapshot();
    }

    /** Implements {@link ManagedDatabase#compact}. */
    void compact(Duration timeout) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        sync(timeout, () -> false);
        long failures = lanes.progress.failures();
        int ticket = lanes.compactionLane.requestMerge();
        awaitCompaction(() -> lanes.compactionLane.isServed(ticket), failures, deadline, "not merged");
    }

    /** @param failures number of failures before the request; only later ones end the wait */
    private void awaitCompaction(BooleanSupplier done, long failures, long deadline, String problem)
            throws IOException, InterruptedException {
        try {
            lanes.progress.await(
                    () -> done.getAsBoolean()
                            || lanes.haveStopped()
                            || lanes.progress.hasFailedSince(Step.COMPACTION, failures)
                            || lanes.progress.hasFailedSince(Step.CAPTURE, failures),
                    Duration.ofNanos(deadline - System.nanoTime()));
        } catch (TimeoutException e) {
            throw lanes.notReplicated(problem + " in time", e);
        }
        if (!done.getAsBoolean()) {
            throw lanes.notReplicated(problem + (lanes.haveStopped() ? ", replication has stopped" : ""), null);
        }
    }

    /**
     * Makes the capture lane capture and checkpoint all committed transactions. Ignores failures and timeouts: the
     * result of SQLite's own checkpoint shows the outcome to the caller.
     */
    void checkpoint(Duration timeout) {
        if (!lanes.laneStates.now().capture().attached()) {
            return; // the engine has no reader open
        }
        LaneTask<Boolean> round = lanes.captureLane.submit(capture -> {
            capture.checkpointNow();
            return true;
        });
        try {
            round.result().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            round.withdraw();
            log.debug("checkpoint requested by the application did not complete: db={}", lanes.config.name(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Implements {@link ManagedDatabase#pause}. */
    void awaitPaused(Duration timeout) throws IOException, InterruptedException {
        try {
            lanes.progress.await(() -> lanes.isPaused() || lanes.haveEnded(), timeout);
        } catch (TimeoutException e) {
            throw lanes.notReplicated("not paused within " + timeout.toMillis() + " ms", e);
        }
    }

    /**
     * Waits until a database that did not exist before is attached, which happens after its first connection; returns
     * after several seconds in any case.
     */
    void awaitAttached() {
        if (lanes.laneStates.now().capture().attached() || lanes.captureLane.isPauseRequested() || lanes.haveEnded()) {
            return;
        }
        lanes.captureLane.wake();
        try {
            lanes.progress.await(
                    () -> lanes.laneStates.now().capture().attached()
                            || lanes.laneStates.now().capture().passive()
                            || lanes.progress.failure(Step.CAPTURE) != null
                            || lanes.haveEnded(),
                    ATTACH_TIMEOUT);
        } catch (TimeoutException e) {
            log.warn("database not attached yet: db={}", lanes.config.name());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
