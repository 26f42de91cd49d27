package org.litestream4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.ReplicationWaits.Urgency;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePoints;
import org.litestream4j.restore.RestoreResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A database that is replicated. Thread-safe. */
public final class ManagedDatabase {

    private static final Logger log = LoggerFactory.getLogger(ManagedDatabase.class);

    /** How long closing waits for the application's connections. */
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final EngineCounters counters;
    private final LitestreamListener listener;
    private final PhysicalConnections connections = new PhysicalConnections();
    private final Gate gate = new Gate();
    private final WriteLock writeLock;
    private final WriteQueue writeQueue = new WriteQueue();
    private final Lanes lanes;
    private final CallerWaits waits;
    private final InPlaceRestore inPlaceRestore;
    private final Shutdown shutdown;
    private final Watch watch;

    ManagedDatabase(
            DatabaseConfig config,
            ReplicaClient client,
            EngineCounters counters,
            LitestreamListener listener,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.client = client;
        this.counters = counters;
        this.listener = listener;
        this.writeLock = new WriteLock(counters);
        this.lanes = new Lanes(config, client, counters, listener, writeLock, clock, pools);
        this.waits = new CallerWaits(lanes);
        this.inPlaceRestore = new InPlaceRestore(this, lanes, gate);
        this.shutdown = new Shutdown(lanes, connections, inPlaceRestore);
        this.watch = new Watch(
                config,
                new WatchedFiles(config.path(), config.metaPath()),
                lanes.captureLane::look,
                lanes.progress,
                clock,
                pools);
    }

    public String name() {
        return config.name();
    }

    public DatabaseConfig config() {
        return config;
    }

    /** What is known now; no file or network access. */
    public DatabaseStatus status() {
        return lanes.status();
    }

    /** What was done since the start of the process; no file or network access. */
    public EngineStatistics statistics() {
        return counters.statistics(
                lanes.progress.isDiskFull(),
                lanes.progress.isRefused(Step.UPLOAD) || lanes.progress.isRefused(Step.CAPTURE));
    }

    /**
     * Captures everything that is committed now and waits until it is on the replica. An outage is waited out, a refusal is not:
     * of the replica (rights, login, a missing bucket), or of ours to replicate the database as it is.
     *
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    public void sync(Duration timeout) throws IOException, InterruptedException {
        sync(timeout, () -> false);
    }

    /** @param cancelled asked some times a second; true ends the wait with an error */
    void sync(Duration timeout, BooleanSupplier cancelled) throws IOException, InterruptedException {
        waits.sync(timeout, cancelled);
    }

    /**
     * Waits until everything that is committed now is on the replica. All who come while an upload is going on share the
     * next one, and each waits for at most two. An interrupt ends the wait, and leaves the thread interrupted.
     *
     * @throws ReplicationTimeoutException if that was not in time
     * @throws NotReplicatedException at once, if nothing is being replicated
     */
    public void awaitReplicated(Duration timeout) {
        waits.awaitReplicated(Urgency.NEXT_UPLOAD, timeout);
    }

    /**
     * The same without causing an upload: what is committed goes with the next regular sync, at most a sync interval from now.
     *
     * @throws ReplicationTimeoutException if that was not in time
     * @throws NotReplicatedException at once, if nothing is being replicated
     */
    public void awaitNextSync(Duration timeout) {
        waits.awaitReplicated(Urgency.NEXT_SYNC, timeout);
    }

    /**
     * Captures everything that is committed now, and waits until a snapshot that holds it is on the replica; there is none to
     * wait for if nothing changed since the newest.
     *
     * @return the newest snapshot's transaction
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    public Txid snapshot(Duration timeout) throws IOException, InterruptedException {
        return waits.snapshot(timeout);
    }

    /**
     * Merges all files of the replica that can be merged, without waiting for their windows, and deletes what is past its
     * retention; waits until that is done.
     *
     * @throws LitestreamException if that cannot be, with the last error, or not in time
     */
    public void compact(Duration timeout) throws IOException, InterruptedException {
        waits.compact(timeout);
    }

    /**
     * Checks the replica, on the caller's thread: whether files are missing, and whether the newest state can be restored.
     *
     * @param deep whether to read and check the content of every file, too
     */
    public Validation.Result validate(boolean deep) throws IOException {
        Validation.Result result = Validation.run(client, deep, lanes::haveEnded);
        if (!lanes.haveEnded()) { // else it ended early
            lanes.compactionLane.validated(result);
        }
        return result;
    }

    /** What is known of the levels and snapshots of the replica; no file or network access. */
    public CompactionStatus compaction() {
        return lanes.compactionLane.status();
    }

    /** The result of the last validation since the start, scheduled or asked for, if there was any. */
    public Optional<Validation.Result> lastValidation() {
        return Optional.ofNullable(lanes.compactionLane.validations().last());
    }

    /** The result of the last one that read the content of every file, if there was any. */
    public Optional<Validation.Result> lastDeepValidation() {
        return Optional.ofNullable(lanes.compactionLane.validations().lastDeep());
    }

    /** When the last validation ended, if there was any. */
    public Optional<Instant> lastValidationAt() {
        return Optional.ofNullable(lanes.compactionLane.validations().lastAt());
    }

    /**
     * Brings the database to another state of its replica while the application runs: restored to a side file first, then
     * copied in within one write transaction. Readers see the old or the new state; connections of the wrapped DataSource are
     * held back between two transactions for that moment. The state before stays restorable.
     *
     * @param options target, check, parallelism, listener, cancelled, clock; the other options do not apply
     * @param timeout longest wait for the replica before and after, for capture to get to it, and for other writers
     * @throws org.litestream4j.restore.RestoreException if the state cannot be restored
     * @throws LitestreamException if the database is not being replicated, has other pages, was kept busy, its disk is full, or
     *     another restore in place is running: nothing was changed then, unless the message says that the state was copied in
     * @throws InterruptedException if nothing was changed and will be. An interrupt that comes later leaves the thread
     *     interrupted, and the result tells that the database was restored
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
     * Captures everything that is committed now and releases the database, until {@link #resume}: what a change of the journal
     * mode or the page size needs. A snapshot that is being read is given up and taken after the pause. Uploads continue.
     *
     * @param timeout longest wait for the capture to end
     * @throws LitestreamException if it did not; the database is paused as soon as it can be
     */
    public void pause(Duration timeout) throws IOException, InterruptedException {
        lanes.captureLane.pause(true);
        waits.awaitPaused(timeout);
    }

    /**
     * Takes a paused database up again. Capture goes on where it ended if nothing was written meanwhile; else it begins with the
     * whole database.
     */
    public void resume() {
        lanes.captureLane.pause(false);
    }

    Gate gate() {
        return gate;
    }

    WriteQueue writeQueue() {
        return writeQueue;
    }

    WriteLock writeLock() {
        return writeLock;
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
                return database.config().durability() == Durability.REPLICATED;
            }

            @Override
            public void committed(ManagedDatabase database, boolean autoCommit) {
                database.awaitReplicated(database.config().durabilityTimeout());
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
        lanes.captureLane.hint();
    }

    /** For an application that asks SQLite for a checkpoint; as {@link CallerWaits#checkpoint}. */
    void checkpoint(Duration timeout) {
        waits.checkpoint(timeout);
    }

    void connectionOpened() {
        waits.awaitAttached();
    }

    // For Litestream.

    /** Begins; when it returns, an existing database is held open, or the error is known. */
    void start() throws IOException {
        lanes.captureLane.wake();
        if (CaptureLane.exists(config.path())) {
            waits.awaitAttached();
        }
        if (lanes.captureLane.isAttached()) { // else it may be another process's
            try {
                inPlaceRestore.deleteSideFile();
            } catch (IOException e) {
                log.warn("what a killed restore left cannot be deleted: db={}", config.name(), e);
            }
        }
    }

    /** Checks soon, without opening anything, whether another process wrote. */
    void watch() {
        watch.tick();
    }

    void pauseMaintenance() {
        lanes.compactionLane.rest();
    }

    void resumeMaintenance() {
        lanes.compactionLane.resume();
    }

    /**
     * Waits for the application's connections to close, then begins with the last capture and upload.
     *
     * @param drain longest wait; connections still open then are closed
     */
    void finish(Duration drain) {
        shutdown.begin(drain);
    }

    /** Captures and uploads what is left, then lets go of the database; the last error, if not all of it is replicated. */
    void close() throws IOException {
        shutdown.begin(DRAIN_TIMEOUT);
        shutdown.complete();
    }
}
