package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamListener;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.compaction.Compaction;
import org.litestream4j.compaction.CompactionSettings;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Fence;
import org.litestream4j.compaction.Levels;
import org.litestream4j.compaction.Validation;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.internal.capture.Staging;
import org.litestream4j.internal.replication.Ownership;
import org.litestream4j.internal.replication.ReplicaComparison;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaLostException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs merges, snapshots, validations and retention for one database's replica, one at a time, and decides when each
 * runs. Sleeps until the next interval in which work is due. Does not wake at all while nothing changes.
 */
final class CompactionLane {

    private static final Logger log = LoggerFactory.getLogger(CompactionLane.class);

    private static final long FIRST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long MAX_BACKOFF_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final Progress progress;
    private final Clock clock;
    private final Lane lane;
    private final Compaction compaction;
    private final Snapshots snapshots;
    private final Validations validations;
    private final Staging level0;
    private final LaneStates laneStates;
    private final ReplicaConflicts conflicts;
    private final SnapshotImages images;

    private volatile boolean stopping; // written under this object's lock
    private volatile boolean paused; // written under this object's lock

    private final AtomicInteger requested = new AtomicInteger();
    private volatile int served;

    // Confined to the lane.
    private long backoff;
    private @Nullable LostContinuityException mismatch;
    private @Nullable ReplicaLostException loss;

    /** Number of the history to which the running work belongs. */
    private int history;

    /** Number of losses of the replica before the running work. */
    private int lossesBefore;

    /** Number of losses before the last listing of the replica. */
    private int listedLosses;

    /** Number of the replica's comparison before the running work. */
    private int comparedBefore;

    /** Newest transaction of the files that the running work has published; {@link Txid#NONE} if there are none. */
    private Txid published = Txid.NONE;

    /** Whether the running work may have written to the replica. */
    private boolean wrote;

    /** Whether {@link #published} may have followed the listing of a comparison whose result is not known yet. */
    private boolean unconfirmed;

    /** A new history has begun, and may reuse the transaction numbers of the running work, which has no effect. */
    private static final class HistoryEndedException extends IOException {
        private static final long serialVersionUID = 1;
    }

    @SuppressWarnings("NullAway") // a merge may return null, as its type argument says
    CompactionLane(
            DatabaseConfig config,
            ReplicaClient client,
            Capture capture,
            Ownership ownership,
            LaneStates laneStates,
            ReplicaConflicts conflicts,
            SnapshotImages images,
            Progress progress,
            OperationReports operations,
            LitestreamListener listener,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.client = client;
        this.laneStates = laneStates;
        this.conflicts = conflicts;
        this.images = images;
        this.progress = progress;
        this.clock = clock;
        this.level0 = capture.staging();
        this.compaction = new Compaction(
                client,
                new CompactionSettings(
                        new Levels(config.levels()),
                        config.level0Retention(),
                        config.snapshotInterval(),
                        config.snapshotRetention(),
                        config.snapshotKeep(),
                        config.retentionEnabled(),
                        config.pageEncoding(),
                        config.autoRecover()),
                this::openLocal,
                fence(ownership),
                (level, merge) -> operations.observe(Kind.COMPACTION, level, Outcome::of, merge::run),
                clock,
                System::nanoTime);
        this.lane = new Lane(this::run, progress.starts(Step.COMPACTION, clock), pools.compaction, pools.timer);
        this.snapshots = new Snapshots(config, client, capture, compaction, operations, listener, images, laneStates);
        this.validations = new Validations(config, client, progress, listener, clock);
        laneStates.subscribe(this::changed);
    }

    private Fence fence(Ownership ownership) {
        return new Fence() {
            @Override
            public void ensure() throws IOException {
                ensureHistory();
                wrote = true;
                ownership.ensure();
            }

            @Override
            public void ensureBeforePublishing(int level, LtxFileName name) throws IOException {
                ensureHistory();
                published = Txid.max(published, name.max());
                ownership.publishing(level, name);
                ensure();
            }
        };
    }

    private void changed(LaneStates.View before, LaneStates.View after) {
        CaptureState capture = after.capture();
        if (!capture.history().equals(before.capture().history())) {
            snapshots.historyEnds();
            compaction.doubtAll(); // file names may be used again
            validations.doubt(capture.history().after()); // another writer may have left it incomplete
        }
        if (after.upload().losses() != before.upload().losses()) {
            compaction.doubtAll();
        }
        UploadState upload = after.upload();
        if (upload.damage() != null && !upload.damage().equals(before.upload().damage())) {
            requireSnapshot(); // if an image follows, its history requires another one
        }
        boolean pauseChanged = capture.paused() != before.capture().paused();
        if (pauseChanged && capture.paused()) {
            images.discard();
        }
        if (capture.snapshotsRequired() != before.capture().snapshotsRequired()) {
            requireSnapshot();
        }
        boolean uploaded = !after.upload().replicated().equals(before.upload().replicated());
        boolean awaited = snapshots.isStaged() || snapshots.isPending() || validations.isInDoubt();
        if (pauseChanged || (after.isContinuing() && !before.isContinuing()) || (uploaded && awaited)) {
            lane.wake();
        }
    }

    private @Nullable OpenedFile openLocal(LtxFileName name, long size) throws IOException {
        Path path = level0.path(name);
        try {
            if (Files.size(path) != size) {
                return null;
            }
            OptionalLong databaseChecksum = level0.databaseChecksum(name);
            return new OpenedFile(Files.newInputStream(path), databaseChecksum);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    CompactionStatus status() {
        return compaction.status();
    }

    Validations validations() {
        return validations;
    }

    /**
     * Handles the result of a complete validation: repairs the problems if that is possible and permitted. Thread-safe.
     */
    void validated(Validation.Result result) {
        if (validations.ended(result)) {
            lane.wake();
        }
    }

    /** Records a published file. Cheap: the lane wakes when the next interval begins. Thread-safe. */
    void uploaded(LtxFileInfo file) {
        compaction.uploaded(file);
        long interval = config.levels().get(0).toMillis();
        lane.wakeIn(TimeUnit.MILLISECONDS.toNanos(interval - Math.floorMod(clock.millis(), interval)));
    }

    /** Keeps the files of a mark that is about to be stored, and returns a token of it. Thread-safe. */
    Object announce(Mark mark) {
        return compaction.announce(mark);
    }

    /** Records that an announced mark is stored. Thread-safe. */
    void markStored(Object token) {
        compaction.markStored(token);
        lane.wake();
    }

    /** Returns the tokens of announced marks of this name that are stored. Thread-safe. */
    List<Object> announcedMarks(String name) {
        return compaction.announcedMarks(name);
    }

    /** Records that announced marks were removed, or not stored. Thread-safe. */
    void withdrawMarks(List<Object> tokens) {
        tokens.forEach(compaction::withdrawMark);
        lane.wake();
    }

    /** Wakes the lane after an image was requested, handed over or closed. Thread-safe. */
    void wake() {
        lane.wake();
    }

    /** Requests a snapshot of the captured state. Thread-safe. */
    void requireSnapshot() {
        snapshots.demand();
        lane.wake();
    }

    /** Requests a merge of all files that can be merged, and returns a ticket for {@link #isServed}. Thread-safe. */
    int requestMerge() {
        int ticket = requested.incrementAndGet();
        lane.wake();
        return ticket;
    }

    boolean isServed(int ticket) {
        return served - ticket >= 0;
    }

    /** Returns whether a requested snapshot is still pending. */
    boolean isSnapshotPending() {
        return snapshots.isPending();
    }

    /**
     * Returns whether an image would be discarded, because this lane stops or rests, or capture is paused. Thread-safe.
     */
    boolean isImageUnwanted() {
        return isHalted() || laneStates.now().capture().paused();
    }

    private boolean isHalted() {
        return stopping || paused;
    }

    /** Cancels running work soon, and starts none until {@link #resume}. Completed work is kept. Thread-safe. */
    synchronized void pause() {
        paused = true;
        compaction.stop();
        images.discard();
    }

    /** Resumes work after {@link #pause}. Thread-safe. */
    void resume() {
        synchronized (this) {
            if (!paused || stopping) {
                return;
            }
            compaction.resume();
            paused = false;
        }
        lane.wake();
    }

    /** Cancels running work and stops the lane. Returns whether the lane stopped within the timeout. */
    boolean stop(Duration timeout) {
        synchronized (this) {
            stopping = true;
        }
        compaction.stop();
        boolean over = lane.stop(timeout);
        images.discard();
        return over;
    }

    private void run() {
        LaneStates.View now = laneStates.now();
        if (isHalted() || now.conflict() || !now.isContinuing()) {
            return;
        }
        if (unconfirmed) {
            findOverlookedLoss();
        }
        history = now.capture().history().number();
        lossesBefore = now.upload().losses();
        comparedBefore = now.upload().number();
        published = Txid.NONE;
        wrote = false;
        try {
            step();
            backoff = 0;
            if (progress.succeeded(Step.COMPACTION, clock.instant())) {
                log.info("compaction continues: db={} replica={}", config.name(), client.url());
            }
            planNext();
        } catch (ReplicaConflictException e) {
            conflicts.otherWriter(e);
        } catch (ReplicaLostException e) {
            loss = e;
        } catch (HistoryEndedException e) {
            log.debug("merge or snapshot of a former history dropped: db={}", config.name());
            lane.wake();
        } catch (Throwable e) { // the lane must survive any failure
            if (!isHalted()) {
                fail(e);
            }
        }
        if (wrote) {
            findOverlookedLoss();
        }
        laneStates.publish(
                new CompactionState(mismatch, loss, compaction.status().newestSnapshot(), listedLosses));
        progress.signal();
    }

    /**
     * Finds out whether the replica was compared without what the running work has written, because files were lost
     * meanwhile. If no files were lost, a comparison finds all transactions of merges and snapshots.
     */
    private void findOverlookedLoss() {
        LaneStates.View now = laneStates.now();
        UploadState upload = now.upload();
        ReplicaComparison found = upload.number() == comparedBefore ? null : now.comparison();
        if (upload.losses() != lossesBefore
                || (found != null && found.replicaNewest().isBefore(published))) {
            unconfirmed = false;
            loss = new ReplicaLostException(
                    client.url(),
                    "the replica lost files while a merge, a snapshot or a deletion ran",
                    "find out what emptied, replaced or unmounted it");
        } else {
            unconfirmed = found == null && isFormer();
        }
    }

    /** Ensures that nothing has ended the history since the running work began. Call before each write. */
    private void ensureHistory() throws HistoryEndedException {
        if (isFormer()) {
            throw new HistoryEndedException();
        }
    }

    /** Returns whether the running work belongs to a former history, or a loss may end its history. */
    private boolean isFormer() {
        LaneStates.View now = laneStates.now();
        return now.capture().history().number() != history
                || now.upload().losses() != lossesBefore
                || !now.isContinuing();
    }

    private void fail(Throwable e) {
        if (progress.failed(Step.COMPACTION, e, clock.instant())) {
            log.warn("compaction failed, will retry: db={} replica={}", config.name(), client.url(), e);
        }
        backoff = Math.min(MAX_BACKOFF_NANOS, Math.max(FIRST_BACKOFF_NANOS, 2 * backoff));
        lane.wakeIn(ThreadLocalRandom.current().nextLong(backoff / 2, backoff + 1));
    }

    private void step() throws IOException {
        snapshots.clean();
        compaction.refresh();
        listedLosses = lossesBefore;
        try {
            snapshots.stage(this::isImageUnwanted);
        } catch (LostContinuityException e) { // a snapshot of the following state is still needed
            mismatch = e;
        }
        LaneStates.View now = laneStates.now();
        if (now.isContinuing() && !snapshots.publish(now.upload().replicated())) {
            lane.wake();
        }
        validations.checkHealed(compaction.status().newestSnapshot(), this::isHalted);
        ensureHistory(); // else what is known of snapshots may be out of date
        if (!laneStates.now().capture().paused()) {
            snapshots.requestIfDue(
                    replicated(), validations.isHealing()); // before the merges: a failing merge may need it
        }
        int ticket = requested.get();
        if (compaction.run(served != ticket)) {
            served = ticket;
        } else {
            lane.wake();
        }
        if (compaction.takeGap()) {
            validations.suspect();
        }
        if (!isHalted() && validations.runIfDue(replicated(), () -> stopping)) {
            lane.wake();
        }
    }

    private Txid replicated() {
        return laneStates.now().upload().replicated();
    }

    private void planNext() {
        if (snapshots.isUnderway()) {
            return; // another lane will wake this one
        }
        long millis = compaction.millisUntilDue(replicated());
        if (millis >= 0) {
            lane.wakeIn(TimeUnit.MILLISECONDS.toNanos(millis + 1));
        }
    }
}
