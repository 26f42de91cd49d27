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
import org.litestream4j.internal.capture.LiveImage;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.internal.replication.Verdict;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Captures one database: woken by commits, it decides when to look, takes an image where continuity is not proven, and runs
 * the checkpoints.
 */
final class CaptureLane {

    private static final Logger log = LoggerFactory.getLogger(CaptureLane.class);

    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long CONFLICT_CHECKPOINT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final DatabaseConfig config;
    private final Capture capture;
    private final Progress progress;
    private final ReplicationWaits waits;
    private final EngineCounters counters;
    private final Clock clock;
    private final Lane lane;
    private final CaptureSchedule schedule;
    private UploadLane upload;
    private CompactionLane compaction;

    private final Queue<LaneTask<?>> tasks = new ConcurrentLinkedQueue<>();

    private volatile boolean passive;
    private volatile boolean attached;
    private volatile boolean imageWanted;

    /** Found by another lane; null once it was followed. */
    private volatile @Nullable LostContinuityException lost;

    private volatile boolean paused;
    private volatile boolean closing;
    private volatile boolean finished;

    /** No task is run any more. */
    private volatile boolean ended;

    // Confined to the lane.
    private boolean unproven;
    private boolean snapshotDemanded;

    CaptureLane(
            DatabaseConfig config,
            Capture capture,
            Progress progress,
            ReplicationWaits waits,
            EngineCounters counters,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.capture = capture;
        this.progress = progress;
        this.waits = waits;
        this.counters = counters;
        this.clock = clock;
        this.lane = new Lane(this::run, progress.starts(Step.CAPTURE, clock), pools.capture, pools.timer);
        this.schedule = new CaptureSchedule(config.syncInterval(), capture, progress, waits, counters, clock, lane);
    }

    void connect(UploadLane uploadLane, CompactionLane compactionLane) {
        upload = uploadLane;
        compaction = compactionLane;
    }

    /** Something is about to be committed, or may have been: look soon. Any thread; cheap. */
    void hint() {
        if (schedule.hint()) {
            lane.wake();
        }
    }

    /** Files have changed: look whether somebody committed what was not captured. Any thread. */
    void look() {
        schedule.look();
        lane.wake();
    }

    void wake() {
        lane.wake();
    }

    /** Asks for a state of the database for a snapshot; the compaction lane gets it. Any thread. */
    void wantImage() {
        imageWanted = true;
        lane.wake();
    }

    /**
     * Runs a task on the lane, as soon as capture continues. Any thread.
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

    /** What was captured does not lead to the database: a full image follows. Any thread. */
    void continuityLost(LostContinuityException reason) {
        lost = reason;
        lane.wake();
    }

    /** Whether another process replicates the database. */
    boolean isPassive() {
        return passive;
    }

    /** Lets the lane capture a last time and let go of the database, or take it up again. */
    void pause(boolean value) {
        paused = value;
        if (value) {
            compaction.endImages();
        } else {
            compaction.wake();
        }
        lane.wake();
    }

    boolean isPaused() {
        return paused;
    }

    /** Whether the database exists and is held open. */
    boolean isAttached() {
        return attached;
    }

    /** Since when something may be committed that is not captured; null if nothing is. Any thread. */
    @Nullable
    Instant uncapturedSince() {
        return schedule.uncapturedSince();
    }

    /** Since when something may be captured that is not replicated; the upload lane knows better once it is at it. */
    @Nullable
    Instant capturedSince() {
        return schedule.capturedSince();
    }

    /** Lets the lane capture a last time, complete a checkpoint, and do nothing more. */
    void finish() {
        closing = true;
        lane.wake();
    }

    boolean isFinished() {
        return finished;
    }

    /** Lets the lane do nothing more but a last action, on its own thread, once what is running is over. Call once. */
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
        } catch (Throwable e) { // whatever it is, the lane must go on
            fail(e);
        }
        attached = capture.isAttached();
        if (finished) {
            ended = true;
            refuseTasks();
        }
        if (passive || paused || finished) {
            waits.reconsider();
        }
        progress.signal();
    }

    private void runTasks() {
        for (LaneTask<?> task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run(capture);
        }
    }

    /** Any thread; after {@code ended} is true no task stays in the queue. */
    private void refuseTasks() {
        for (LaneTask<?> task = tasks.poll(); task != null; task = tasks.poll()) {
            task.refuse(new LitestreamException(config.path().toString(), "it is closed", "", null));
        }
    }

    private void fail(Throwable e) {
        counters.captureFailed();
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
        if (paused && !closing && !compaction.isImageOpen()) {
            rest();
            return;
        }
        passive = !capture.own();
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
        if (upload.isConflict()) {
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
            return; // woken when the replica has answered; what was never captured is worth the wait when closing, too
        }
        giveUpIfLost();
        if (closing) {
            captureLast();
            finished =
                    upload.isContinuing() || upload.needsRecovery(); // else the upload lane still has something to tell
            upload.wake();
            return;
        }
        Txid before = capture.captured();
        schedule.captureIfDue(upload.replicated());
        Txid captured = capture.captured();
        if (captured.isAfter(before)) {
            upload.wake(); // commits may wait for it: not after the checkpoint
        }
        openImageIfWanted();
        runTasks();
        if (!capture.isContinuous()) {
            lane.wake(); // a task failed: attach anew
            return;
        }
        capture.checkpoint();
        long checksumDue = capture.completeChecksum();
        if (checksumDue >= 0) {
            lane.wakeIn(checksumDue);
        }
        if (capture.captured().isAfter(captured)) {
            upload.wake();
        }
        schedule.planNext();
    }

    /** A snapshot that cannot begin now must keep neither tasks nor checkpoints waiting. */
    private void openImageIfWanted() throws IOException {
        if (!imageWanted || paused) {
            return;
        }
        try {
            LiveImage image = capture.openImage();
            imageWanted = false; // before it is handed over: the next may be wanted at once
            compaction.accept(image);
        } catch (IOException e) {
            if (!capture.isContinuous()) {
                throw e;
            }
            log.warn("snapshot cannot be started, will retry: db={} txid={}", config.name(), capture.captured(), e);
            lane.wakeIn(RETRY_NANOS);
        }
    }

    /** The lock that kept other engines away is gone with it, and so are files that were not uploaded: an image follows. */
    private void forgetLocalState() throws IOException {
        String problem = "the local state in " + config.metaPath() + " was deleted or replaced while it was in use";
        log.error("{}, a full image follows: db={} txid={}", problem, config.name(), capture.captured());
        capture.close();
        capture.disown();
        attached = false;
        schedule.expect();
        upload.localStateLost();
        progress.healed(problem, "it is created again, and a full image follows");
    }

    /** Follows what another lane found: the record must say so before the database is released. */
    private void giveUpIfLost() throws IOException {
        LostContinuityException reason = lost;
        if (reason != null && capture.isAttached()) {
            lost = null;
            capture.giveUp(reason);
        }
    }

    /** Captures a last time and lets go of the database. */
    private void rest() throws IOException {
        giveUpIfLost();
        if (capture.isContinuous()) {
            captureLast();
            upload.wake();
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
        snapshotDemanded = false;
        unproven = false;
        attached = true;
        schedule.attached();
        upload.wake();
        return true;
    }

    /** A file of 0 bytes counts as missing. */
    static boolean exists(Path database) throws IOException {
        return Files.exists(database) && Files.size(database) > 0;
    }

    /** Makes sure that the position is known; false if that must wait for somebody. */
    private boolean establish() throws IOException {
        if (!capture.isContinuous() && !unproven) {
            Capture.Continuity continuity = capture.judge();
            switch (continuity) {
                case PROVEN -> {
                    log.info("capture continues where it ended: db={} txid={}", config.name(), capture.captured());
                    upload.wake(); // the check has captured what was committed meanwhile
                }
                case UNPROVEN -> {
                    unproven = true;
                    lane.wakeIn(RETRY_NANOS);
                }
            }
        }
        Verdict verdict = upload.verdict();
        if (verdict != null && verdict.diverged()) {
            refuseEmpty(verdict);
            if (!upload.accepts(capture)) {
                return false;
            }
            compaction.historyEnds(verdict.replicaNewest());
            capture.image(verdict.replicaNewest(), true);
            waits.restarted(capture.captured());
            upload.imageTaken(verdict.replicaNewest());
            unproven = false;
        } else if (unproven && verdict != null) {
            refuseEmpty(verdict);
            capture.image(Txid.max(capture.captured(), upload.replicated()), false);
            waits.restarted(capture.captured());
            upload.wake();
            unproven = false;
        }
        if (capture.isContinuous() && capture.isPageSizeChanged() && !snapshotDemanded) {
            snapshotDemanded = true;
            compaction.demandSnapshot();
        }
        return capture.isContinuous();
    }

    private void refuseEmpty(Verdict verdict) throws IOException {
        if (!verdict.replicaNewest().isNone() && !config.replaceWithEmpty() && capture.isEmpty()) {
            throw new LitestreamException(
                    config.path().toString(),
                    "the database is empty, but its replica holds transactions up to " + verdict.replicaNewest(),
                    "restore it, or give it another replica URL, or allow it in the application with"
                            + " litestream.replace-with-empty=true (in plain Java replaceWithEmpty)",
                    null);
        }
    }
}
