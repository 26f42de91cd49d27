package org.litestream4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.ReplicationWaits.Urgency;
import org.litestream4j.ReplicationWaits.Wait;
import org.litestream4j.capture.Capture;
import org.litestream4j.capture.CaptureSettings;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replication.Ownership;
import org.litestream4j.replication.Replication;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePoints;
import org.litestream4j.restore.RestoreResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A database that is replicated. Thread-safe. */
public final class ManagedDatabase {

    private static final Logger log = LoggerFactory.getLogger(ManagedDatabase.class);

    /** How long the application's first connection waits until the engine holds the database, too. */
    private static final Duration ATTACH_TIMEOUT = Duration.ofSeconds(10);

    /** How long closing waits for a merge or snapshot to give up. */
    private static final Duration COMPACTION_STOP_TIMEOUT = Duration.ofSeconds(5);

    /** How long closing waits for the application's connections. */
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    /** How often somebody who waits asks whether that was cancelled. */
    private static final Duration ASK_INTERVAL = Duration.ofMillis(250);

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final Clock clock;
    private final Pools pools;
    private final Capture capture;
    private final Ownership ownership;
    private final Replication replication;
    private final EngineCounters counters;
    private final LitestreamListener listener;
    private final Progress progress;
    private final ReplicationWaits waits = new ReplicationWaits();
    private final PhysicalConnections connections = new PhysicalConnections();
    private final Gate gate = new Gate();
    private final WriteLock writeLock;
    private final CaptureLane captureLane;
    private final UploadLane uploadLane;
    private final InPlaceRestore inPlaceRestore;
    private final CompactionLane compactionLane;

    private final AtomicBoolean finishing = new AtomicBoolean();
    private volatile long finishedAt;
    private volatile boolean closed;

    /** Confined to the watch. */
    private WalState seen = WalState.NONE;

    ManagedDatabase(
            DatabaseConfig config,
            ReplicaClient client,
            EngineCounters counters,
            LitestreamListener listener,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.counters = counters;
        this.listener = listener;
        this.progress = new Progress(config.name(), client.url(), counters, listener);
        this.client = client;
        this.clock = clock;
        this.pools = pools;
        this.writeLock = new WriteLock(counters);
        this.capture = new Capture(
                new CaptureSettings(
                        config.path(),
                        config.metaPath(),
                        config.busyTimeout(),
                        config.checkpointInterval(),
                        config.minCheckpointPages(),
                        config.walLimitPages(),
                        config.maxSyncWalBytes(),
                        config.pageEncoding(),
                        config.databaseChecksum()),
                clock,
                writeLock);
        this.ownership = new Ownership(
                client, clock, System::nanoTime, config.level0Retention().dividedBy(2));
        this.compactionLane = new CompactionLane(
                config, client, capture, ownership, progress, counters.operations(), listener, clock, pools);
        this.replication =
                new Replication(capture, client, clock, config.level0Retention(), ownership, compactionLane::uploaded);
        this.captureLane = new CaptureLane(config, capture, progress, waits, counters, clock, pools);
        this.uploadLane = new UploadLane(
                config,
                replication,
                client.url(),
                captureLane,
                compactionLane,
                progress,
                waits,
                counters.operations(),
                clock,
                pools);
        this.inPlaceRestore = new InPlaceRestore(this, client, counters);
        captureLane.connect(uploadLane, compactionLane);
        compactionLane.connect(captureLane, uploadLane);
    }

    public String name() {
        return config.name();
    }

    public DatabaseConfig config() {
        return config;
    }

    /** What is known now; no file or network access. */
    public DatabaseStatus status() {
        Progress.Failure failure = progress.failure(Step.UPLOAD);
        if (failure == null) {
            failure = progress.failure(Step.CAPTURE);
        }
        if (failure == null) {
            failure = progress.failure(Step.COMPACTION);
        }
        return new DatabaseStatus(
                config.name(),
                config.path(),
                client.url(),
                state(),
                capture.captured(),
                replication.replicated(),
                lag(),
                failure != null ? failure.text() : null,
                failure != null ? failure.at() : null);
    }

    /** What was done since the start of the process; no file or network access. */
    public EngineStatistics statistics() {
        return counters.statistics(progress.isDiskFull());
    }

    private DatabaseState state() {
        if (closed) {
            return DatabaseState.STOPPED;
        }
        if (uploadLane.isConflict()) {
            return DatabaseState.CONFLICT;
        }
        if (uploadLane.needsRecovery()) {
            return DatabaseState.NEEDS_RECOVERY;
        }
        if (captureLane.isAttached()) {
            return DatabaseState.REPLICATING;
        }
        if (captureLane.isPaused()) {
            return DatabaseState.PAUSED;
        }
        return captureLane.isPassive() ? DatabaseState.PASSIVE : DatabaseState.WAITING;
    }

    private Duration lag() {
        if (captureLane.isPassive()) {
            return Duration.ZERO; // another process replicates, and knows its lag
        }
        Instant uncaptured = captureLane.uncapturedSince();
        Instant since = null;
        if (replication.replicated().isBefore(capture.captured())) {
            since = replication.pendingSince();
            if (since == null) { // the upload lane is not at it yet, or has not reached the replica since the start
                since = captureLane.capturedSince();
            }
        }
        if (since == null || (uncaptured != null && uncaptured.isBefore(since))) {
            since = uncaptured;
        }
        if (since == null) {
            return Duration.ZERO;
        }
        Duration lag = Duration.between(since, clock.instant());
        return lag.isNegative() ? Duration.ZERO : lag;
    }

    /**
     * Captures everything that is committed now and waits until it is on the replica.
     *
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    public void sync(Duration timeout) throws IOException, InterruptedException {
        sync(timeout, () -> false);
    }

    /** @param cancelled asked some times a second; true ends the wait with an error */
    void sync(Duration timeout, BooleanSupplier cancelled) throws IOException, InterruptedException {
        Wait wait = waits.begin(Urgency.NOW);
        captureLane.wake();
        uploadLane.waitedFor();
        if (!waits.await(wait, timeout, ASK_INTERVAL, () -> stopped() || cancelled.getAsBoolean())) {
            String problem = "not replicated within " + timeout.toMillis() + " ms";
            if (stopped()) {
                problem = "replication has stopped";
            } else if (cancelled.getAsBoolean()) {
                problem = "cancelled before all was replicated";
            }
            throw notReplicated(problem, null);
        }
    }

    /**
     * Waits until everything that is committed now is on the replica. All who come while an upload is going on share the
     * next one, and each waits for at most two. An interrupt ends the wait, and leaves the thread interrupted.
     *
     * @throws ReplicationTimeoutException if that was not in time
     * @throws NotReplicatedException at once, if nothing is being replicated
     */
    public void awaitReplicated(Duration timeout) {
        awaitReplicated(Urgency.NEXT_UPLOAD, timeout);
    }

    /**
     * The same without causing an upload: what is committed goes with the next regular sync, at most a sync interval from now.
     *
     * @throws ReplicationTimeoutException if that was not in time
     * @throws NotReplicatedException at once, if nothing is being replicated
     */
    public void awaitNextSync(Duration timeout) {
        awaitReplicated(Urgency.NEXT_SYNC, timeout);
    }

    private void awaitReplicated(Urgency urgency, Duration timeout) {
        counters.operations()
                .observe(
                        Kind.COMMIT_WAIT,
                        LitestreamOperation.NO_LEVEL,
                        txid -> Outcome.succeeded(txid, 0),
                        () -> awaitTxid(urgency, timeout));
    }

    /** The transaction that is on the replica now. */
    private Txid awaitTxid(Urgency urgency, Duration timeout) {
        long begun = System.nanoTime();
        Wait wait = waits.begin(urgency);
        uploadLane.waitedFor();
        if (urgency == Urgency.NEXT_SYNC) {
            captureLane.look();
        } else if (!replication.replicated().isBefore(capture.captured()) && waits.isTurn()) {
            // while an upload is going on, its end wakes the lane
            captureLane.wake();
        }
        boolean replicated = false;
        boolean interrupted = false;
        try {
            replicated = waits.await(wait, timeout, timeout, () -> isHopeless(wait));
        } catch (InterruptedException e) {
            interrupted = true;
            Thread.currentThread().interrupt();
        } finally {
            counters.waited(System.nanoTime() - begun, !replicated);
        }
        Txid txid = waits.txid(wait);
        if (!replicated || txid == null) {
            throw notReplicated(txid, interrupted, timeout);
        }
        return txid;
    }

    /** Also in a pause and for a passive engine: nobody here captures, and nobody else tells. */
    private boolean isHopeless(Wait wait) {
        boolean uncaptured = waits.txid(wait) == null;
        return stopped()
                || (uncaptured && (captureLane.isPassive() || (captureLane.isPaused() && !captureLane.isAttached())));
    }

    private NotReplicatedException notReplicated(@Nullable Txid txid, boolean interrupted, Duration timeout) {
        DatabaseStatus status = status();
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
        String text = config.name() + ": committed locally, but " + problem
                + "; it is replicated when the replicated TXID (now "
                + status.replicated() + ") is "
                + (txid != null ? least + " or greater" : "greater than " + status.captured())
                + (status.lastError() != null ? "; last error: " + status.lastError() : "")
                + "; do not repeat the transaction: look at the status, or wait again";
        return timedOut
                ? new ReplicationTimeoutException(config.name(), least, text)
                : new NotReplicatedException(config.name(), least, text);
    }

    /**
     * Captures everything that is committed now, and waits until a snapshot that holds it is on the replica; there is none to
     * wait for if nothing changed since the newest.
     *
     * @return the newest snapshot's transaction
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    public Txid snapshot(Duration timeout) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        sync(timeout);
        long failures = progress.failures();
        compactionLane.demandSnapshot();
        awaitCompaction(() -> !compactionLane.isSnapshotPending(), failures, deadline, "no snapshot");
        return compactionLane.status().newestSnapshot();
    }

    /**
     * Merges all files of the replica that can be merged, without waiting for their windows, and deletes what is past its
     * retention; waits until that is done.
     *
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    public void compact(Duration timeout) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        sync(timeout);
        long failures = progress.failures();
        int ticket = compactionLane.demandMerge();
        awaitCompaction(() -> compactionLane.isServed(ticket), failures, deadline, "not merged");
    }

    /** @param failures how many there had been before the request: what failed earlier is tried again now */
    private void awaitCompaction(BooleanSupplier done, long failures, long deadline, String problem)
            throws IOException, InterruptedException {
        try {
            progress.await(
                    () -> done.getAsBoolean()
                            || stopped()
                            || progress.hasFailedSince(Step.COMPACTION, failures)
                            || progress.hasFailedSince(Step.CAPTURE, failures),
                    Duration.ofNanos(deadline - System.nanoTime()));
        } catch (TimeoutException e) {
            throw notReplicated(problem + " in time", e);
        }
        if (!done.getAsBoolean()) {
            throw notReplicated(problem + (stopped() ? ", replication has stopped" : ""), null);
        }
    }

    /**
     * Checks the replica, on the caller's thread: whether files are missing, and whether the newest state can be restored.
     *
     * @param deep whether to read and check the content of every file, too
     */
    public Validation.Result validate(boolean deep) throws IOException {
        Validation.Result result = Validation.run(client, deep, () -> closed);
        if (!closed) { // else it ended early
            compactionLane.validated(result);
        }
        return result;
    }

    /** What is known of the levels and snapshots of the replica; no file or network access. */
    public CompactionStatus compaction() {
        return compactionLane.status();
    }

    /** The result of the last validation since the start, scheduled or asked for, if there was any. */
    public Optional<Validation.Result> lastValidation() {
        return Optional.ofNullable(compactionLane.lastValidation());
    }

    /** The result of the last one that read the content of every file, if there was any. */
    public Optional<Validation.Result> lastDeepValidation() {
        return Optional.ofNullable(compactionLane.lastDeepValidation());
    }

    /** When the last validation ended, if there was any. */
    public Optional<Instant> lastValidationAt() {
        return Optional.ofNullable(compactionLane.lastValidationAt());
    }

    /**
     * Brings the database to another state of its replica while the application runs: restored to a side file first, then
     * copied in within one write transaction. Readers see the old or the new state; connections of the wrapped DataSource are
     * held back between two transactions for that moment. The state before stays restorable.
     *
     * @param options target, check, parallelism, listener, cancelled, clock; the other options do not apply
     * @param timeout longest wait for the replica before and after, and for other writers
     * @throws org.litestream4j.restore.RestoreException if the state cannot be restored
     * @throws LitestreamException if the database is not being replicated, has other pages, was kept busy, or another restore
     *     in place is running; nothing was changed then
     */
    public InPlaceRestoreResult restoreInPlace(RestoreOptions options, Duration timeout)
            throws IOException, InterruptedException {
        InPlaceRestoreResult result = inPlaceRestore.run(options, timeout);
        listener.onEvent(new LitestreamEvent.Restored(config.name(), config.path(), result.restored()));
        return result;
    }

    /**
     * Restores a state of the replica to another file, on the caller's thread; the database is left alone.
     *
     * @throws IllegalArgumentException if the target is the database itself
     * @throws IOException as {@link Restore#restore}
     */
    public RestoreResult restoreTo(Path target, RestoreOptions options) throws IOException {
        if (Files.exists(target) && Files.exists(config.path()) && Files.isSameFile(target, config.path())) {
            throw new IllegalArgumentException(target + " is the database itself: restore it in place");
        }
        return counters.restore(() -> Restore.restore(client, target, counters.observing(options)));
    }

    /** What the replica holds to restore from; asks it. */
    public RestorePoints restorePoints() throws IOException {
        return Restore.points(client);
    }

    /**
     * Captures everything that is committed now and lets go of the database, until {@link #resume}: what a change of the journal
     * mode or the page size needs. Uploads go on.
     *
     * @param timeout longest wait for the capture to end
     * @throws LitestreamException if it did not; the database is paused as soon as it can be
     */
    public void pause(Duration timeout) throws IOException, InterruptedException {
        captureLane.pause(true);
        try {
            progress.await(() -> !captureLane.isAttached() || closed, timeout);
        } catch (TimeoutException e) {
            throw notReplicated("not paused within " + timeout.toMillis() + " ms", e);
        }
    }

    /**
     * Takes a paused database up again. Capture goes on where it ended if nothing was written meanwhile; else it begins with the
     * whole database.
     */
    public void resume() {
        captureLane.pause(false);
    }

    /** Runs a task on the capture lane and waits for it; it must end by itself. */
    <T> T onCaptureLane(CaptureLane.Task<T> task) throws IOException, InterruptedException {
        try {
            return captureLane.submit(task).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new LitestreamException(config.path().toString(), "failed: " + e.getCause(), "", e.getCause());
        }
    }

    Gate gate() {
        return gate;
    }

    WriteLock writeLock() {
        return writeLock;
    }

    private boolean stopped() {
        return closed || uploadLane.isConflict();
    }

    private LitestreamException notReplicated(String problem, @Nullable Throwable cause) {
        DatabaseStatus status = status();
        String error = status.lastError() != null ? ": " + status.lastError() : "";
        return new LitestreamException(
                config.path().toString(),
                problem + " (captured " + status.captured() + ", replicated " + status.replicated() + ")" + error,
                "",
                cause);
    }

    /**
     * The DataSource to use in place of one that opens physical connections to this database (below a pool, not around it).
     * It switches the database to WAL, keeps connections from checkpointing by themselves, and captures what they commit.
     * Commits wait for the replica if that is the database's {@link Durability}.
     *
     * @param physical opens connections of the SQLite driver
     */
    public DataSource wrap(DataSource physical) {
        return wrap(physical, new CommitPolicy() {
            @Override
            public boolean isReplicated(ManagedDatabase database) {
                return config.durability() == Durability.REPLICATED;
            }

            @Override
            public void committed(ManagedDatabase database, boolean autoCommit) {
                awaitReplicated(config.durabilityTimeout());
            }
        });
    }

    /**
     * The same with commits that wait as somebody else decides.
     *
     * @param policy asked for statements that are transactions of their own, only if the database's durability is {@link
     *     Durability#REPLICATED}; for all other commits always
     */
    public DataSource wrap(DataSource physical, CommitPolicy policy) {
        return new LitestreamDataSource(physical, this, policy);
    }

    // For the DataSource.

    PhysicalConnections connections() {
        return connections;
    }

    void committing() {
        captureLane.hint();
    }

    /** A database that did not exist before is attached behind its first connection. */
    void connectionOpened() {
        if (captureLane.isAttached() || captureLane.isPaused() || closed) {
            return;
        }
        captureLane.wake();
        await(() -> captureLane.isAttached()
                || captureLane.isPassive()
                || progress.failure(Step.CAPTURE) != null
                || closed);
    }

    private void await(BooleanSupplier condition) {
        try {
            progress.await(condition, ATTACH_TIMEOUT);
        } catch (TimeoutException e) {
            log.warn("database not attached yet: db={}", config.name());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // For Litestream.

    /** Begins; when it returns, an existing database is held open, or the error is known. */
    void start() throws IOException {
        captureLane.wake();
        if (CaptureLane.exists(config.path())) {
            connectionOpened();
        }
        if (captureLane.isAttached()) { // else it may be another process's
            try {
                inPlaceRestore.deleteSideFile();
            } catch (IOException e) {
                log.warn("what a killed restore left cannot be deleted: db={}", config.name(), e);
            }
        }
    }

    /** Looks, without opening anything, whether somebody else wrote. */
    void watch() {
        try {
            WalState now = WalState.of(config.path());
            if (!now.equals(seen)) {
                seen = now;
                captureLane.look();
            }
        } catch (IOException e) {
            log.debug("cannot look at the database: db={}", config.name(), e);
        }
    }

    void pauseMaintenance() {
        compactionLane.rest();
    }

    void resumeMaintenance() {
        compactionLane.resume();
    }

    /**
     * Waits for the application's connections to close, then begins with the last capture and upload.
     *
     * @param drain longest wait; connections still open then are closed
     */
    void finish(Duration drain) {
        if (finishing.compareAndSet(false, true)) {
            connections.drain(drain);
            compactionLane.stop(
                    COMPACTION_STOP_TIMEOUT); // a snapshot holds a reader, which the last checkpoint must not meet
            finishedAt = System.nanoTime();
            captureLane.finish();
            uploadLane.hurry();
        }
    }

    /** Captures and uploads what is left, then lets go of the database; the last error, if not all of it is replicated. */
    void close() throws IOException {
        finish(DRAIN_TIMEOUT);
        if (closed) {
            return;
        }
        long deadline = finishedAt + config.shutdownSyncTimeout().toNanos();
        boolean done = awaitUninterruptibly(
                () -> captureLane.isFinished()
                        && (uploadLane.isConflict()
                                || uploadLane.needsRecovery()
                                || !captureLane.isAttached()
                                || !replication.replicated().isBefore(capture.captured())),
                deadline);
        boolean whole = done
                && !uploadLane.isConflict()
                && !uploadLane.needsRecovery()
                && progress.failure(Step.CAPTURE) == null;
        LitestreamException unfinished = whole ? null : notReplicated("closed before everything was replicated", null);
        closed = true;
        progress.signal();
        waits.reconsider();
        uploadLane.stop(Duration.ofSeconds(1));
        capture.stop();
        if (captureLane.stop(ATTACH_TIMEOUT)) {
            release();
        } else {
            log.error("still busy, left open until the process ends: db={}", config.name());
            client.close();
        }
        if (unfinished != null) {
            throw unfinished;
        }
    }

    /** On the capture pool: this thread may be interrupted, and an interrupted thread must not touch the database file. */
    private void release() throws IOException {
        Future<?> released = pools.capture.submit(() -> {
            capture.close();
            capture.disown();
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
            throw new LitestreamException(config.path().toString(), "could not be closed", "", e.getCause());
        } finally {
            client.close();
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
                    progress.await(condition, Duration.ofNanos(deadline - System.nanoTime()));
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

    /** What tells that somebody wrote, or replaced a file. */
    private record WalState(FileState wal, FileState database) {

        static final WalState NONE = new WalState(FileState.NONE, FileState.NONE);

        static WalState of(Path database) throws IOException {
            return new WalState(
                    FileState.of(database.resolveSibling(database.getFileName() + "-wal")), FileState.of(database));
        }
    }

    /** Nothing of a file that is not there. */
    private record FileState(@Nullable Object key, long size, long modified) {

        static final FileState NONE = new FileState(null, 0, 0);

        static FileState of(Path file) throws IOException {
            try {
                var attributes = Files.readAttributes(file, java.nio.file.attribute.BasicFileAttributes.class);
                FileTime modified = attributes.lastModifiedTime();
                return new FileState(attributes.fileKey(), attributes.size(), modified.to(TimeUnit.NANOSECONDS));
            } catch (NoSuchFileException e) {
                return NONE;
            }
        }
    }
}
