package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.CommitPolicy;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Durability;
import org.litestream4j.EngineStatistics;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamListener;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.drill.DrillOptions;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.drill.RestoreDrill;
import org.litestream4j.error.OptionNames;
import org.litestream4j.internal.engine.ReplicationWaits.Urgency;
import org.litestream4j.internal.jdbc.ApplicationConnections;
import org.litestream4j.internal.jdbc.CommitHooks;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.Marks;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePoints;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One replicated database: its lanes, and the interface to callers and connections. Thread-safe. */
final class DatabaseEngine implements ManagedDatabase {

    private static final Logger log = LoggerFactory.getLogger(DatabaseEngine.class);

    /** Longest wait of a close for the application's connections. */
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final Function<RequestListener, ReplicaClient> opener;
    private final EngineCounters counters;
    private final LitestreamListener listener;
    private final ApplicationConnections connections;
    private final Lanes lanes;
    private final CallerWaits waits;
    private final InPlaceRestore inPlaceRestore;
    private final DatabaseMarks marks;
    private final Shutdown shutdown;
    private final Watch watch;

    /** @param opener opens further clients of the replica */
    DatabaseEngine(
            DatabaseConfig config,
            ReplicaClient client,
            Function<RequestListener, ReplicaClient> opener,
            EngineCounters counters,
            OperationReports operations,
            LitestreamListener listener,
            OptionNames optionNames,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.client = client;
        this.opener = opener;
        this.counters = counters;
        this.listener = listener;
        this.connections = new ApplicationConnections(new Hooks(), counters);
        this.lanes = new Lanes(
                config,
                client,
                counters,
                operations,
                listener,
                optionNames,
                connections.captureListener(),
                clock,
                pools);
        this.waits = new CallerWaits(lanes);
        this.inPlaceRestore = new InPlaceRestore(lanes, waits, connections);
        this.marks = new DatabaseMarks(config, client, lanes.compactionLane, clock);
        this.shutdown = new Shutdown(lanes, connections, inPlaceRestore);
        this.watch = new Watch(
                config,
                new WatchedFiles(config.path(), config.metaPath()),
                lanes.captureLane::checkForCommits,
                lanes.progress,
                clock,
                pools);
    }

    @Override
    public String name() {
        return config.name();
    }

    @Override
    public DatabaseConfig config() {
        return config;
    }

    @Override
    public DatabaseStatus status() {
        return lanes.status();
    }

    @Override
    public EngineStatistics statistics() {
        return counters.statistics(
                lanes.progress.isDiskFull(),
                lanes.progress.isRefused(Step.UPLOAD) || lanes.progress.isRefused(Step.CAPTURE));
    }

    @Override
    public void sync(Duration timeout) throws IOException, InterruptedException {
        sync(timeout, () -> false);
    }

    /** @param cancelled polled several times a second; returns true to end the wait with an error */
    void sync(Duration timeout, BooleanSupplier cancelled) throws IOException, InterruptedException {
        waits.sync(timeout, cancelled);
    }

    @Override
    public void awaitReplicated(Duration timeout) {
        waits.awaitReplicated(Urgency.NEXT_UPLOAD, timeout);
    }

    @Override
    public void awaitNextSync(Duration timeout) {
        waits.awaitReplicated(Urgency.NEXT_SYNC, timeout);
    }

    @Override
    public Txid snapshot(Duration timeout) throws IOException, InterruptedException {
        return waits.snapshot(timeout);
    }

    @Override
    public void compact(Duration timeout) throws IOException, InterruptedException {
        waits.compact(timeout);
    }

    @Override
    public Validation.Result validate(boolean deep) throws IOException {
        Validation.Result result = Validation.run(client, deep, lanes::haveEnded);
        if (!lanes.haveEnded()) { // otherwise it ended early
            lanes.compactionLane.validated(result);
        }
        return result;
    }

    @Override
    public CompactionStatus compaction() {
        return lanes.compactionLane.status();
    }

    @Override
    public Optional<Validation.Result> lastValidation() {
        return Optional.ofNullable(lanes.compactionLane.validations().last());
    }

    @Override
    public Optional<Validation.Result> lastDeepValidation() {
        return Optional.ofNullable(lanes.compactionLane.validations().lastDeep());
    }

    @Override
    public Optional<Instant> lastValidationAt() {
        return Optional.ofNullable(lanes.compactionLane.validations().lastAt());
    }

    @Override
    public InPlaceRestoreResult restoreInPlace(RestoreOptions options, Duration timeout)
            throws IOException, InterruptedException {
        InPlaceRestoreResult result = inPlaceRestore.run(options, timeout);
        listener.onEvent(new LitestreamEvent.Restored(config.name(), config.path(), result.restored()));
        return result;
    }

    @Override
    public RestoreResult restoreTo(Path target, RestoreOptions options) throws IOException {
        if (Files.exists(target) && Files.exists(config.path()) && Files.isSameFile(target, config.path())) {
            throw new IllegalArgumentException(target + " is the database itself: restore it in place");
        }
        return lanes.operations.restore(() -> Restore.restore(client, target, counters.observing(options)));
    }

    @Override
    public RestorePoints restorePoints() throws IOException {
        return Restore.points(client);
    }

    @Override
    public Mark mark(String name, RestoreTarget target, @Nullable Duration keepFor, Duration timeout)
            throws IOException, InterruptedException {
        Mark.requireName(name);
        Marks.expiry(Instant.EPOCH, keepFor); // fails before the wait
        if (target instanceof RestoreTarget.Latest) {
            sync(timeout);
        }
        return marks.add(name, target, keepFor);
    }

    @Override
    public List<Mark> marks() throws IOException {
        return Marks.list(client);
    }

    @Override
    public boolean removeMark(String name) throws IOException {
        return marks.remove(name);
    }

    @Override
    public DrillReport drill(DrillOptions options) {
        Txid replicated = status().replicated();
        DrillReport report = RestoreDrill.run(
                requests -> opener.apply(request -> {
                    counters.onRequest(request);
                    requests.onRequest(request);
                }),
                options.withDatabase(config.name()).orCancelledBy(lanes::haveEnded),
                replicated);
        listener.onEvent(new LitestreamEvent.Drilled(config.name(), report.replica(), report));
        return report;
    }

    @Override
    public void pause(Duration timeout) throws IOException, InterruptedException {
        lanes.captureLane.pause(true);
        waits.awaitPaused(timeout);
    }

    @Override
    public void resume() {
        lanes.captureLane.pause(false);
    }

    @Override
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

    @Override
    public DataSource wrap(DataSource physical, CommitPolicy policy) {
        return connections.wrap(physical, new CommitHooks.Policy() {
            @Override
            public boolean isReplicated(CommitHooks database) {
                return policy.isReplicated(((Hooks) database).engine());
            }

            @Override
            public void committed(CommitHooks database, boolean autoCommit) {
                policy.committed(((Hooks) database).engine(), autoCommit);
            }
        });
    }

    /** Returns the application's connections. */
    ApplicationConnections connections() {
        return connections;
    }

    /** Starts replication. When this method returns, an existing database is held open, or the error is known. */
    void start() throws IOException {
        lanes.captureLane.wake();
        if (CaptureLane.exists(config.path())) {
            waits.awaitAttached();
        }
        if (lanes.laneStates.now().capture().attached()) { // otherwise it may belong to another process
            try {
                inPlaceRestore.deleteSideFile();
            } catch (IOException e) {
                log.warn("cannot delete files left by an interrupted restore: db={}", config.name(), e);
            }
        }
    }

    /** Starts a check whether another process has written. Opens no file. */
    void watch() {
        watch.tick();
    }

    void pauseMaintenance() {
        lanes.compactionLane.pause();
    }

    void resumeMaintenance() {
        lanes.compactionLane.resume();
    }

    /**
     * Waits for the application's connections to close, then starts the last capture and upload.
     *
     * @param drain longest wait; connections that are still open are then closed
     */
    void finish(Duration drain) {
        shutdown.begin(drain);
    }

    /**
     * Captures and uploads the remaining changes, then releases the database.
     *
     * @throws IOException the last error, if not all changes are replicated
     */
    void close() throws IOException {
        shutdown.begin(DRAIN_TIMEOUT);
        shutdown.complete();
    }

    /**
     * The engine as seen by connections. This is the only implementation in this process, so that a policy can find the
     * engine of a database.
     */
    private final class Hooks implements CommitHooks {

        DatabaseEngine engine() {
            return DatabaseEngine.this;
        }

        @Override
        public String name() {
            return config.name();
        }

        @Override
        public Path path() {
            return config.path();
        }

        @Override
        public int walLimitPages() {
            return config.walLimitPages();
        }

        @Override
        public boolean isDurable() {
            return config.durability() == Durability.REPLICATED;
        }

        @Override
        public void opened() {
            waits.awaitAttached();
        }

        @Override
        public void committing() {
            lanes.captureLane.hint();
        }

        @Override
        public void checkpoint(Duration timeout) {
            waits.checkpoint(timeout);
        }
    }
}
