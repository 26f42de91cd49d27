package org.litestream4j;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.capture.Capture;
import org.litestream4j.capture.LiveImage;
import org.litestream4j.capture.Staging;
import org.litestream4j.compaction.Compaction;
import org.litestream4j.compaction.CompactionSettings;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Levels;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replication.Ownership;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges, snapshots and retires the files of one database's replica. It sleeps until the next window in which something is
 * due, and for as long as nothing changes it does not wake at all.
 */
final class CompactionLane {

    private static final Logger log = LoggerFactory.getLogger(CompactionLane.class);

    private static final long FIRST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_BACKOFF_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int READ_SIZE = 64 << 10;

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final Progress progress;
    private final Operations operations;
    private final LitestreamListener listener;
    private final Clock clock;
    private final Lane lane;
    private final Compaction compaction;
    private final Supplier<Txid> captured;
    private final Staging snapshots;
    private final Staging level0;
    private CaptureLane capture;
    private UploadLane upload;

    private volatile boolean stopping;
    private volatile boolean resting; // written under this lock
    /** A snapshot must hold this transaction; {@link Txid#NONE} if none was asked for. Written under this lock. */
    private volatile Txid snapshotWanted = Txid.NONE;

    private volatile @Nullable Staged staged;
    private volatile @Nullable Validated validated;
    private volatile @Nullable Validated validatedDeep;

    /** What was found that a snapshot makes up for; null if there is nothing (any more). */
    private volatile Validation.@Nullable Result healing;

    private final AtomicInteger requested = new AtomicInteger();
    private volatile int served;

    /** Grows when captured transactions are given up, and their numbers used again. */
    private final AtomicInteger history = new AtomicInteger();

    /** The replica is validated once something follows on this; {@link Txid#NONE} if there is no need. */
    private volatile Txid doubted = Txid.NONE;

    private @Nullable LiveImage handedOver; // guarded by this

    private volatile boolean imageAsked;

    // Confined to the lane.
    private boolean cleaned;
    private long backoff;
    private long validatedAt;
    private Txid validatedTxid = Txid.NONE;

    private record Validated(Validation.Result result, Instant at) {}

    /** A snapshot that waits here until the replica has its last transaction. */
    private record Staged(LtxFileName name, int history) {}

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
        this.operations = operations;
        this.listener = listener;
        this.clock = clock;
        this.captured = capture::captured;
        this.snapshots = capture.snapshots();
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
        this.lane = new Lane(this::run, pools.compaction, pools.timer);
        this.validatedAt = clock.millis();
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

    /** The replica was validated to the end; what was found is healed if it can and may be. Any thread. */
    void validated(Validation.Result result) {
        remember(result);
        if (result.uncovered().isEmpty()) {
            return;
        }
        if (config.autoRecover()) {
            log.warn(
                    "a snapshot follows to heal the replica: db={} replica={} problems={}",
                    config.name(),
                    client.url(),
                    result.uncovered());
            healing = result;
            lane.wake();
        } else {
            log.error(
                    "replica needs a snapshot, auto-recover is off: db={} replica={} problems={}",
                    config.name(),
                    client.url(),
                    result.uncovered());
        }
    }

    private void remember(Validation.Result result) {
        Validated now = new Validated(result, clock.instant());
        validated = now;
        if (result.deep()) {
            validatedDeep = now;
        }
    }

    /** The last validation; null if there was none. */
    Validation.@Nullable Result lastValidation() {
        Validated last = validated;
        return last != null ? last.result() : null;
    }

    /** The last validation that read all content; null if there was none. */
    Validation.@Nullable Result lastDeepValidation() {
        Validated last = validatedDeep;
        return last != null ? last.result() : null;
    }

    /** When the last validation ended; null if there was none. */
    @Nullable
    Instant lastValidationAt() {
        Validated last = validated;
        return last != null ? last.at() : null;
    }

    /** A file was published; any thread. Cheap: the lane wakes when the next window begins. */
    void uploaded(LtxFileInfo file) {
        compaction.uploaded(file);
        if (staged != null || isSnapshotPending() || !doubted.isNone()) {
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

    /**
     * Captured transactions that are not on the replica are given up; call before their numbers are used again.
     *
     * @param replicaNewest what an image follows on, from whomever it is: whether it can be reached is worth a look
     */
    void historyEnds(Txid replicaNewest) {
        history.incrementAndGet();
        doubted = replicaNewest;
        synchronized (this) {
            snapshotWanted = Txid.NONE;
        }
    }

    /** Asks for a snapshot of what is captured. Any thread. */
    void demandSnapshot() {
        synchronized (this) {
            snapshotWanted = Txid.max(snapshotWanted, captured.get());
        }
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
        return !snapshotWanted.isNone();
    }

    /** The state that was asked for; any thread. It is closed here. */
    void accept(LiveImage image) {
        LiveImage unused = image;
        synchronized (this) {
            if (isHalted()) {
                imageAsked = false;
            } else {
                unused = handedOver;
                handedOver = image;
            }
        }
        closeQuietly(unused);
        lane.wake();
    }

    private synchronized @Nullable LiveImage takeImage() {
        LiveImage image = handedOver;
        handedOver = null;
        return image;
    }

    private static void closeQuietly(@Nullable LiveImage image) {
        if (image != null) {
            try {
                image.close();
            } catch (IOException e) {
                log.debug("closing an image failed", e);
            }
        }
    }

    private boolean isHalted() {
        return stopping || resting;
    }

    /** Gives up what runs, soon, and does nothing until {@link #resume}; what was done so far stays. Any thread. */
    void rest() {
        LiveImage unused;
        synchronized (this) {
            resting = true;
            compaction.stop();
            unused = handedOver;
            handedOver = null;
            if (unused != null) {
                imageAsked = false;
            }
        }
        closeQuietly(unused);
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
        closeQuietly(takeImage());
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
                log.info("compaction goes on: db={} replica={}", config.name(), client.url());
            }
            planNext();
        } catch (ReplicaConflictException e) {
            upload.conflict(e);
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
        if (!cleaned) { // a crash may have left one that is of no use any more
            for (LtxFileName name : snapshots.list()) {
                snapshots.delete(name);
            }
            cleaned = true;
        }
        compaction.refresh();
        stageImage();
        publishStaged();
        checkHealed();
        askForImage(); // before the merges: one that fails may need a snapshot to go on
        int ticket = requested.get();
        if (compaction.run(served != ticket)) {
            served = ticket;
        } else {
            lane.wake();
        }
        validateIfDue();
    }

    private void askForImage() {
        synchronized (this) {
            boolean held = !snapshotWanted.isAfter(compaction.status().newestSnapshot());
            if (held || !compaction.isChangedSinceSnapshot(snapshotWanted)) {
                snapshotWanted = Txid.NONE;
            }
        }
        Txid replicated = upload.replicated();
        boolean wanted = isSnapshotPending()
                || compaction.isSnapshotDue(replicated)
                || (healing != null && compaction.isChangedSinceSnapshot(replicated));
        if (staged == null && !imageAsked && wanted) {
            imageAsked = true;
            capture.wantImage();
        }
    }

    /** Looks once whether the snapshot has healed the replica; what it has not is left for the next validation. */
    private void checkHealed() throws IOException {
        Validation.Result found = healing;
        if (found == null
                || found.uncovered().stream()
                        .anyMatch(problem ->
                                !problem.isCoveredBy(compaction.status().newestSnapshot()))
                || !compaction.status().newestSnapshot().isAfter(found.snapshot())) {
            return;
        }
        Validation.Result now = Validation.run(client, false, this::isHalted);
        if (isHalted()) {
            return; // it ended early
        }
        healing = null;
        remember(now);
        if (!now.uncovered().isEmpty()) {
            log.error(
                    "replica is not healed: db={} replica={} problems={}",
                    config.name(),
                    client.url(),
                    now.uncovered());
            return;
        }
        log.info("replica healed: db={} replica={} snapshot={}", config.name(), client.url(), now.snapshot());
        progress.healed(found.uncovered().toString(), "a snapshot of transaction " + now.snapshot());
    }

    private void stageImage() throws IOException {
        try (LiveImage image = takeImage()) {
            if (image == null) {
                return;
            }
            imageAsked = false;
            int now = history.get();
            if (image.write(this::isHalted)) {
                staged = new Staged(image.name(), now);
                if (!image.isAsCaptured()) {
                    log.error(
                            "the database is not what was captured of it, something changed its file behind SQLite: restores"
                                    + " from this snapshot on are what the database holds, earlier ones may not be; db={}"
                                    + " replica={} txid={}",
                            config.name(),
                            client.url(),
                            image.name().max());
                    capture.forgetChecksum();
                }
                log.info(
                        "snapshot taken: db={} txid={}",
                        config.name(),
                        image.name().max());
            }
        }
    }

    private void publishStaged() throws IOException {
        Staged waiting = staged;
        if (waiting == null) {
            return;
        }
        boolean replicated = !upload.replicated().isBefore(waiting.name().max());
        if (history.get() != waiting.history()) { // asked after the position, which then was this history's
            drop(waiting);
            return;
        }
        if (!replicated) {
            return; // the upload lane will wake us
        }
        Path path = snapshots.path(waiting.name());
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path), READ_SIZE)) {
            Instant timestamp = snapshots.timestamp(waiting.name());
            if (!publish(waiting.name(), timestamp, in, path)) {
                lane.wake();
                return;
            }
            log.info("snapshot published: db={} replica={} txid={}", config.name(), client.url(), waiting.name());
            listener.onEvent(new LitestreamEvent.SnapshotPublished(
                    config.name(), client.url(), waiting.name().max()));
        } catch (NoSuchFileException e) {
            log.warn("snapshot is gone before its upload: db={} file={}", config.name(), path);
        }
        drop(waiting);
    }

    private boolean publish(LtxFileName name, Instant timestamp, InputStream in, Path path) throws IOException {
        long size = Files.size(path);
        OptionalLong databaseChecksum = snapshots.databaseChecksum(name);
        return operations.observe(
                Kind.UPLOAD,
                ReplicaClient.SNAPSHOT_LEVEL,
                done -> done ? Outcome.succeeded(name.max(), size) : Outcome.NOTHING,
                () -> compaction.publishSnapshot(name, timestamp, databaseChecksum, in, path.toString()));
    }

    private void drop(Staged waiting) throws IOException {
        staged = null;
        snapshots.delete(waiting.name());
    }

    private void validateIfDue() throws IOException {
        long interval = config.validationInterval().toMillis();
        Txid replicated = upload.replicated();
        long elapsed = clock.millis() - validatedAt; // negative if the clock was set back
        boolean due = interval != 0 && (elapsed >= interval || elapsed < 0) && !replicated.equals(validatedTxid);
        boolean doubtful = !doubted.isNone() && replicated.isAfter(doubted);
        if (isHalted() || (!due && !doubtful)) {
            return;
        }
        doubted = Txid.NONE;
        validatedAt = clock.millis();
        validatedTxid = replicated;
        Validation.Result result = Validation.run(client, false, () -> stopping);
        if (stopping) {
            return; // it ended early
        }
        validated(result);
        listener.onEvent(new LitestreamEvent.Validated(config.name(), client.url(), result));
    }

    private void planNext() {
        if (staged != null || imageAsked) {
            return; // somebody will wake us
        }
        long millis = compaction.millisUntilDue(upload.replicated());
        if (millis >= 0) {
            lane.wakeIn(TimeUnit.MILLISECONDS.toNanos(millis + 1));
        }
    }
}
