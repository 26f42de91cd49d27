package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamException;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.internal.engine.CaptureState.History;
import org.litestream4j.internal.engine.ReplicationWaits.Urgency;
import org.litestream4j.internal.replication.ReplicaComparison;
import org.litestream4j.internal.replication.SharedHistory;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaConflictException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Captures one database. Woken by commits, it decides when to check for them, takes a full image if continuity is not
 * proven, and runs the checkpoints.
 */
final class CaptureLane {

    private static final Logger log = LoggerFactory.getLogger(CaptureLane.class);

    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long CONFLICT_CHECKPOINT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final DatabaseConfig config;
    private final String replica;
    private final Capture capture;
    private final Progress progress;
    private final ReplicationWaits waits;
    private final Clock clock;
    private final Lane lane;
    private final CaptureSchedule schedule;
    private final LaneStates laneStates;
    private final ReplicaConflicts conflicts;
    private final SnapshotImages images;

    private final Queue<LaneTask<?>> tasks = new ConcurrentLinkedQueue<>();

    // Set by callers.
    private volatile boolean paused;
    private volatile boolean closing;

    /** Whether the lane accepts no more tasks. */
    private volatile boolean ended;

    // Confined to the lane.
    private boolean unproven;
    private boolean pageSizeChanged;
    private boolean attached;
    private boolean passive;
    private boolean finished;
    private int localStates;
    private History history = History.FIRST;

    /** Number of the newest verdict that was followed by a full image. */
    private int imagedComparison;

    /** Number of the newest verdict whose kinship was proven. */
    private int comparisonWithSharedHistory;

    private int snapshotsRequired;

    /** The last mismatch that was handled. */
    private @Nullable LostContinuityException mismatch;

    /** @param replica address of the replica, without secrets */
    CaptureLane(
            DatabaseConfig config,
            String replica,
            Capture capture,
            Progress progress,
            ReplicationWaits waits,
            OperationReports operations,
            LaneStates laneStates,
            ReplicaConflicts conflicts,
            SnapshotImages images,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.replica = replica;
        this.capture = capture;
        this.progress = progress;
        this.waits = waits;
        this.laneStates = laneStates;
        this.conflicts = conflicts;
        this.images = images;
        this.clock = clock;
        this.lane = new Lane(this::run, progress.starts(Step.CAPTURE, clock), pools.capture, pools.timer);
        this.schedule = new CaptureSchedule(config.syncInterval(), capture, progress, waits, operations, clock, lane);
        laneStates.subscribe(this::changed);
    }

    private void changed(LaneStates.View before, LaneStates.View after) {
        UploadState upload = after.upload();
        boolean verdictChanged = upload.number() != before.upload().number()
                || (upload.comparison() == null) != (before.upload().comparison() == null)
                || after.isContinuing() != before.isContinuing();
        boolean uploaded = !upload.replicated().equals(before.upload().replicated());
        if (verdictChanged
                || upload.needsRecovery() != before.upload().needsRecovery()
                || after.compaction().mismatch() != before.compaction().mismatch()
                || after.conflict() != before.conflict()
                || (uploaded && waits.wants(Urgency.NEXT_UPLOAD))) {
            lane.wake();
        }
    }

    /**
     * Signals that a commit is about to happen, or may have happened, so that the lane checks for it soon. Thread-safe;
     * cheap.
     */
    void hint() {
        if (schedule.hint()) {
            lane.wake();
        }
    }

    /** Signals that files have changed, so that the lane checks for uncaptured commits. Thread-safe. */
    void checkForCommits() {
        schedule.checkForCommits();
        lane.wake();
    }

    void wake() {
        lane.wake();
    }

    /**
     * Runs a task on the lane as soon as capture continues. Thread-safe.
     *
     * @return completed with the task's result or error, or with an error if the lane ends before
     */
    <T> LaneTask<T> submit(LaneTask.Action<T> action) {
        LaneTask<T> task = new LaneTask<>(action);
        tasks.add(task);
        if (ended) {
            refuseTasks();
        }
        lane.wake();
        return task;
    }

    /** Requests a last capture and the release of the database, or revokes that request. Thread-safe. */
    void pause(boolean value) {
        paused = value;
        lane.wake();
    }

    boolean isPauseRequested() {
        return paused;
    }

    /** Returns the time since which a commit may be uncaptured; null if there is none. Thread-safe. */
    @Nullable
    Instant uncapturedSince() {
        return schedule.uncapturedSince();
    }

    /**
     * Returns the time since which a captured change may be unreplicated, as known to this lane. The upload lane has
     * the exact time once it handles the change.
     */
    @Nullable
    Instant capturedSince() {
        return schedule.capturedSince();
    }

    /** Makes the lane capture a last time, complete a checkpoint, and stop. */
    void finish() {
        closing = true;
        lane.wake();
    }

    /** Stops the lane after its current run, then runs a last action on the lane's thread. Call once. */
    void end(Runnable last) {
        ended = true;
        refuseTasks();
        lane.end(last);
    }

    private void run() {
        try {
            step();
            if (progress.succeeded(Step.CAPTURE, clock.instant())) {
                log.info("capture continues: db={} txid={}", config.name(), capture.captured());
            }
        } catch (Throwable e) { // the lane must survive any failure
            fail(e);
        }
        attached = capture.isAttached();
        publish();
        if (finished) {
            ended = true;
            refuseTasks();
        }
        if (passive || paused || finished) {
            waits.reconsider();
        }
        progress.signal();
    }

    private void publish() {
        laneStates.publish(new CaptureState(
                attached,
                passive,
                paused,
                finished,
                capture.captured(),
                localStates,
                history,
                imagedComparison,
                snapshotsRequired));
    }

    private void runTasks() {
        for (LaneTask<?> task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run(capture);
        }
    }

    /** Fails all queued tasks. Thread-safe; once {@code ended} is true, no task stays in the queue. */
    private void refuseTasks() {
        for (LaneTask<?> task = tasks.poll(); task != null; task = tasks.poll()) {
            task.refuse(new LitestreamException(config.path().toString(), "it is closed", "", null));
        }
    }

    private void fail(Throwable e) {
        if (e instanceof LostContinuityException lost) {
            waits.withhold();
            progress.auditFailed(lost.problem());
            log.warn(
                    "audit failed, a full image follows: db={} txid={} problem={}",
                    config.name(),
                    capture.captured(),
                    lost.problem());
        }
        if (progress.failed(Step.CAPTURE, e, clock.instant())) {
            log.warn("capture failed, will retry: db={} txid={}", config.name(), capture.captured(), e);
        }
        schedule.expect();
        finished = closing && progress.isRefused(Step.CAPTURE); // waiting does not help
        lane.wakeIn(RETRY_NANOS);
    }

    private void step() throws IOException {
        if (finished) {
            return;
        }
        if (capture.isLocalStateLost()) {
            forgetLocalState();
        }
        if (paused && !closing) {
            publish(); // ends running snapshots
            if (!images.isOpen()) {
                captureAndRelease();
                return;
            }
        }
        passive = !capture.acquireLocalState();
        if (passive) {
            finished = closing;
            lane.wakeIn(RETRY_NANOS);
            if (!closing && capture.isLeftOpen()) {
                throw new IOException(config.path()
                        + ": a closed engine of this process still has the database open, so nothing is"
                        + " replicated; this engine takes over when the other one has released the database");
            }
            return;
        }
        if (!capture.isAttached() && !attach()) {
            finished = closing;
            return;
        }
        if (laneStates.now().conflict()) {
            finished = closing;
            schedule.ignoreHints();
            capture.checkpointOnly();
            lane.wakeIn(CONFLICT_CHECKPOINT_NANOS);
            return;
        }
        if (unproven) {
            lane.wakeIn(capture.checkpointUncaptured());
        }
        if (!establish()) {
            return; // the replica's response wakes the lane; even a shutdown waits for it
        }
        giveUpIfMismatched();
        if (closing) {
            captureLast();
            LaneStates.View now = laneStates.now();
            finished = now.isContinuing() || now.upload().needsRecovery(); // otherwise a verdict is still pending
            return;
        }
        Txid before = capture.captured();
        schedule.captureIfDue(laneStates.now().upload().replicated());
        if (capture.captured().isAfter(before)) {
            publish(); // commits may wait for it: do not delay until after the checkpoint
        }
        openImageIfWanted();
        runTasks();
        if (!capture.isContinuous()) {
            lane.wake(); // a task failed: attach again
            return;
        }
        capture.checkpoint();
        boolean pending = capture.isChecksumPending();
        long checksumDue = capture.completeChecksum();
        if (checksumDue >= 0) {
            lane.wakeIn(checksumDue);
        }
        if (pending && !capture.isChecksumPending()) {
            lane.wake(); // a snapshot may have waited for it
        }
        schedule.planNext();
    }

    /** Opens an image if one is requested. A snapshot that cannot begin now must not delay tasks or checkpoints. */
    private void openImageIfWanted() throws IOException {
        if (!images.isWanted() || paused || capture.isChecksumPending()) { // until then it cannot be compared
            return;
        }
        try {
            images.put(capture.openImage(), history.number());
        } catch (IOException e) {
            if (!capture.isContinuous()) {
                throw e;
            }
            log.warn("snapshot cannot be started, will retry: db={} txid={}", config.name(), capture.captured(), e);
            lane.wakeIn(RETRY_NANOS);
        }
    }

    /**
     * Discards the local state. The lock that kept other engines away is lost with it, as are files that were not
     * uploaded; a full image follows.
     */
    private void forgetLocalState() throws IOException {
        String problem = "the local state in " + config.metaPath() + " was deleted or replaced while it was in use";
        log.error("{}, a full image follows: db={} txid={}", problem, config.name(), capture.captured());
        capture.close();
        capture.releaseLocalState();
        attached = false;
        schedule.expect();
        localStates++;
        publish();
        progress.healed(problem, "it is created again, and a full image follows");
    }

    /**
     * Discards the position if a snapshot has disproved continuity. This must be recorded before the database is
     * released.
     */
    private void giveUpIfMismatched() throws IOException {
        LostContinuityException found = laneStates.now().compaction().mismatch();
        if (found != null && found != mismatch && capture.isAttached()) {
            mismatch = found;
            capture.giveUp(found);
        }
    }

    /** Captures a last time and releases the database. */
    private void captureAndRelease() throws IOException {
        giveUpIfMismatched();
        if (capture.isContinuous()) {
            captureLast();
        }
        capture.close();
    }

    private void captureLast() throws IOException {
        long ticket = waits.newest();
        capture.finish();
        waits.captured(ticket, capture.captured());
    }

    private boolean attach() throws IOException {
        if (!exists(config.path())) {
            return false;
        }
        capture.attach();
        pageSizeChanged = false;
        unproven = false;
        attached = true;
        schedule.attached();
        publish();
        return true;
    }

    /** Returns whether a database exists. A file of 0 bytes counts as missing. */
    static boolean exists(Path database) throws IOException {
        return Files.exists(database) && Files.size(database) > 0;
    }

    /** Establishes the position; returns false if that must wait for another lane. */
    private boolean establish() throws IOException {
        if (!capture.isContinuous() && !unproven) {
            Capture.Continuity continuity = capture.establishContinuity();
            switch (continuity) {
                case PROVEN -> {
                    log.info("capture continues where it ended: db={} txid={}", config.name(), capture.captured());
                    publish(); // the check has captured commits made in the meantime
                }
                case UNPROVEN -> {
                    unproven = true;
                    lane.wakeIn(RETRY_NANOS);
                }
            }
        }
        LaneStates.View now = laneStates.now();
        ReplicaComparison comparison = now.comparison();
        if (comparison != null && comparison.diverged()) {
            refuseEmpty(comparison);
            if (!isHistoryShared(now.upload())) {
                return false;
            }
            history = history.next(comparison.replicaNewest());
            publish(); // before the numbers of the old history are reused
            capture.image(comparison.replicaNewest(), true);
            waits.restarted(capture.captured());
            imagedComparison = now.upload().number();
            unproven = false;
            if (now.upload().damage() != null) {
                snapshotsRequired++; // a restore of the image must not depend on the damaged file
            }
            publish();
        } else if (unproven && comparison != null) {
            refuseEmpty(comparison);
            capture.image(Txid.max(capture.captured(), now.upload().replicated()), false);
            waits.restarted(capture.captured());
            unproven = false;
            publish();
        }
        if (capture.isContinuous() && capture.isPageSizeChanged() && !pageSizeChanged) {
            pageSizeChanged = true;
            snapshotsRequired++;
        }
        return capture.isContinuous();
    }

    /**
     * Returns whether the database may continue the content of the replica. Reports a conflict if it is not proven that
     * both belong to one history.
     */
    private boolean isHistoryShared(UploadState upload) throws IOException {
        SharedHistory open = upload.sharedHistory();
        if (open == null
                || comparisonWithSharedHistory == upload.number()
                || (config.replaceWithEmpty() && capture.isEmpty())) {
            return true;
        }
        String contradiction = open.contradiction(capture.pages());
        if (contradiction == null) {
            comparisonWithSharedHistory = upload.number();
            return true;
        }
        conflicts.otherDatabase(new ReplicaConflictException(
                replica,
                "it seems to hold another database than " + config.path() + ", and nothing was written: "
                        + contradiction + ", and no local state proves that the replica belongs to this database",
                "give the database a replica URL of its own; if the replica is its own (it was vacuumed, or restored to"
                        + " an early state, since), allow it once with {adoptReplica=true}",
                null));
        return false;
    }

    private void refuseEmpty(ReplicaComparison comparison) throws IOException {
        if (!comparison.replicaNewest().isNone() && !config.replaceWithEmpty() && capture.isEmpty()) {
            throw new LitestreamException(
                    config.path().toString(),
                    "the database is empty, but its replica holds transactions up to " + comparison.replicaNewest(),
                    "restore it, or give it another replica URL, or allow it with {replaceWithEmpty=true}",
                    null);
        }
    }
}
