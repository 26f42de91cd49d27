package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
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
import org.litestream4j.compaction.Levels;
import org.litestream4j.compaction.Validation;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.LiveImage;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.internal.capture.Staging;
import org.litestream4j.internal.replication.Ownership;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaLostException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges, snapshots, validates and retires the files of one database's replica, in turn; it owns whether and when that goes on.
 * It sleeps until the next window in which something is due, and for as long as nothing changes it does not wake at all.
 */
final class CompactionLane {

    private static final Logger log = LoggerFactory.getLogger(CompactionLane.class);

    private static final long FIRST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_BACKOFF_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final Progress progress;
    private final Clock clock;
    private final Lane lane;
    private final Compaction compaction;
    private final Snapshots snapshots;
    private final Validations validations;
    private final Staging level0;
    private CaptureLane capture;
    private UploadLane upload;

    private volatile boolean stopping; // written under this lock
    private volatile boolean resting; // written under this lock

    private final AtomicInteger requested = new AtomicInteger();
    private volatile int served;

    /** Confined to the lane. */
    private long backoff;

    CompactionLane(
            DatabaseConfig config,
            ReplicaClient client,
            Capture capture,
            Ownership ownership,
            Progress progress,
            Operations operations,
            LitestreamListener listener,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.client = client;
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
                        config.retentionEnabled(),
                        config.pageEncoding(),
                        config.autoRecover()),
                this::openLocal,
                ownership::ensure,
                (level, merge) -> operations.observe(Kind.COMPACTION, level, Outcome::of, merge::run),
                clock,
                System::nanoTime);
        this.lane = new Lane(this::run, progress.starts(Step.COMPACTION, clock), pools.compaction, pools.timer);
        this.snapshots = new Snapshots(config, client, capture, compaction, operations, listener, this::imageClosed);
        this.validations = new Validations(config, client, progress, listener, clock);
    }

    void connect(CaptureLane captureLane, UploadLane uploadLane) {
        capture = captureLane;
        upload = uploadLane;
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

    /** The replica was validated to the end; what was found is healed if it can and may be. Any thread. */
    void validated(Validation.Result result) {
        if (validations.ended(result)) {
            lane.wake();
        }
    }

    /** A file was published; any thread. Cheap: the lane wakes when the next window begins. */
    void uploaded(LtxFileInfo file) {
        compaction.uploaded(file);
        if (snapshots.isStaged() || snapshots.isPending() || validations.isInDoubt()) {
            lane.wake();
        } else {
            long interval = config.levels().get(0).toMillis();
            lane.wakeIn(TimeUnit.MILLISECONDS.toNanos(interval - Math.floorMod(clock.millis(), interval)));
        }
    }

    /** What the replica holds is known to lead to what is captured: begin. Any thread. */
    void wake() {
        lane.wake();
    }

    /** What the replica held is not there any more. Any thread. */
    void replicaLost() {
        compaction.doubtAll();
    }

    /**
     * Captured transactions that are not on the replica are given up; call before their numbers are used again.
     *
     * @param replicaNewest what an image follows on, from whomever it is: whether it can be reached is worth a look
     */
    void historyEnds(Txid replicaNewest) {
        snapshots.historyEnds();
        validations.doubt(replicaNewest);
    }

    /** Asks for a snapshot of what is captured. Any thread. */
    void demandSnapshot() {
        snapshots.demand();
        lane.wake();
    }

    /** Asks for a merge of all that can be merged; the answer is a ticket for {@link #isServed}. Any thread. */
    int demandMerge() {
        int ticket = requested.incrementAndGet();
        lane.wake();
        return ticket;
    }

    boolean isServed(int ticket) {
        return served - ticket >= 0;
    }

    /** Whether a snapshot that was asked for is still to come. */
    boolean isSnapshotPending() {
        return snapshots.isPending();
    }

    /** The state that was asked for; any thread. It is closed here. */
    void accept(LiveImage image) {
        snapshots.accept(image, this::isImageUnwanted);
        lane.wake();
    }

    /** Whether a state of the database is held still by a reader. Any thread. */
    boolean isImageOpen() {
        return snapshots.isImageOpen();
    }

    /** Gives up the state that is being written, soon; call while the capture lane is paused. Any thread. */
    void endImages() {
        snapshots.letGo();
        lane.wake();
    }

    private boolean isImageUnwanted() {
        return isHalted() || capture.isPaused();
    }

    private void imageClosed() {
        if (capture.isPaused()) {
            capture.wake();
        }
        progress.signal();
    }

    private boolean isHalted() {
        return stopping || resting;
    }

    /** Gives up what runs, soon, and does nothing until {@link #resume}; what was done so far stays. Any thread. */
    synchronized void rest() {
        resting = true;
        compaction.stop();
        snapshots.letGo();
    }

    /** Goes on after {@link #rest}; any thread. */
    void resume() {
        synchronized (this) {
            if (!resting || stopping) {
                return;
            }
            compaction.resume();
            resting = false;
        }
        lane.wake();
    }

    /** Gives up what runs, and does nothing more. True if it is over. */
    boolean stop(Duration timeout) {
        synchronized (this) {
            stopping = true;
        }
        compaction.stop();
        boolean over = lane.stop(timeout);
        snapshots.letGo();
        return over;
    }

    private void run() {
        if (isHalted() || upload.isConflict() || !upload.isContinuing()) {
            return;
        }
        try {
            step();
            backoff = 0;
            if (progress.succeeded(Step.COMPACTION, clock.instant())) {
                log.info("compaction continues: db={} replica={}", config.name(), client.url());
            }
            planNext();
        } catch (ReplicaConflictException e) {
            upload.conflict(e);
        } catch (ReplicaLostException e) {
            upload.lost(e);
        } catch (Throwable e) { // whatever it is, the lane must go on
            if (!isHalted()) {
                fail(e);
            }
        }
        progress.signal();
    }

    private void fail(Throwable e) {
        if (progress.failed(Step.COMPACTION, e, clock.instant())) {
            log.warn("compaction failed, will retry: db={} replica={}", config.name(), client.url(), e);
        }
        backoff = Math.min(LONGEST_BACKOFF_NANOS, Math.max(FIRST_BACKOFF_NANOS, 2 * backoff));
        lane.wakeIn(ThreadLocalRandom.current().nextLong(backoff / 2, backoff + 1));
    }

    private void step() throws IOException {
        snapshots.clean();
        compaction.refresh();
        try {
            snapshots.stage(this::isImageUnwanted);
        } catch (LostContinuityException e) { // the snapshot is wanted still, of what follows
            capture.continuityLost(e);
        }
        if (!snapshots.publish(upload.replicated())) {
            lane.wake();
        }
        validations.checkHealed(compaction.status().newestSnapshot(), this::isHalted);
        if (!capture.isPaused() && snapshots.ask(upload.replicated(), validations.isHealing())) {
            capture.wantImage(); // before the merges: one that fails may need a snapshot to go on
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
        if (!isHalted() && validations.runIfDue(upload.replicated(), () -> stopping)) {
            lane.wake();
        }
    }

    private void planNext() {
        if (snapshots.isUnderway()) {
            return; // somebody will wake us
        }
        long millis = compaction.millisUntilDue(upload.replicated());
        if (millis >= 0) {
            lane.wakeIn(TimeUnit.MILLISECONDS.toNanos(millis + 1));
        }
    }
}
