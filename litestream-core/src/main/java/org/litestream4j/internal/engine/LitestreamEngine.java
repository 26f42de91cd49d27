package org.litestream4j.internal.engine;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamException;
import org.litestream4j.LitestreamListener;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.error.OptionNames;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine: the registered databases, and their shared threads and listeners. Thread-safe. */
public final class LitestreamEngine implements Litestream {

    private static final Logger log = LoggerFactory.getLogger(LitestreamEngine.class);

    /** Longest wait of a close for the application's connections to all databases. */
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private final Clock clock;
    private final LitestreamListener listener;
    private final List<ReplicaProvider> providers;
    private final Pools pools;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<String, DatabaseEngine> databases = new LinkedHashMap<>();

    private volatile List<DatabaseEngine> watched = List.of(); // written under the lock

    /** Counters by name; counters of a restore before the start are continued after it. */
    private final Map<String, EngineCounters> counters = new ConcurrentHashMap<>();

    private final OptionNames optionNames;
    private final ScheduledFuture<?> watching;
    private final ReentrantLock maintenanceLock = new ReentrantLock();
    private final ReentrantLock closeLock = new ReentrantLock();

    @GuardedBy("lock")
    private boolean maintenancePaused;

    @GuardedBy("lock")
    private boolean closed;

    /**
     * @param clock source of all timestamps
     * @param watchInterval interval at which databases are checked for commits of other processes; positive
     * @param providers backends that take precedence over those found on the class path
     */
    public LitestreamEngine(
            Clock clock,
            Duration watchInterval,
            List<LitestreamListener> listeners,
            List<ReplicaProvider> providers,
            OptionNames optionNames) {
        this(clock, watchInterval, listeners, providers, optionNames, Pools.threads());
    }

    /** @param threads creates all threads */
    LitestreamEngine(
            Clock clock,
            Duration watchInterval,
            List<LitestreamListener> listeners,
            List<ReplicaProvider> providers,
            OptionNames optionNames,
            ThreadFactory threads) {
        this.optionNames = optionNames;
        this.clock = clock;
        this.listener = new Listeners(listeners);
        this.providers = List.copyOf(providers);
        this.pools = new Pools(threads);
        long watch = watchInterval.toNanos();
        this.watching = pools.timer.scheduleWithFixedDelay(this::watch, watch, watch, TimeUnit.NANOSECONDS);
    }

    @Override
    public Optional<RestoreResult> restoreIfMissing(DatabaseConfig config) throws IOException {
        return restoreIfMissing(config, RestoreOptions.defaults());
    }

    @Override
    public Optional<RestoreResult> restoreIfMissing(DatabaseConfig config, RestoreOptions options) throws IOException {
        requireNonNull(config, "config");
        requireNonNull(options, "options");
        EngineCounters counters = counters(config.name());
        Optional<RestoreResult> restored;
        try (ReplicaClient client = open(config, counters)) {
            refuseInsideLocalState(config, client);
            OperationReports operations = new OperationReports(config.name(), observers(counters));
            restored = new StartupRestore(config, client, options, clock, counters, operations).run();
        }
        restored.ifPresent(
                result -> listener.onEvent(new LitestreamEvent.Restored(config.name(), config.path(), result)));
        return restored;
    }

    @Override
    public ManagedDatabase register(DatabaseConfig config) throws IOException {
        requireNonNull(config, "config");
        refuseNoFile(config.path());
        EngineCounters counters = counters(config.name());
        ReplicaClient client = open(config, counters);
        boolean registered = false;
        try {
            refuseInsideLocalState(config, client);
            if (!CaptureLane.exists(config.path()) && !config.replaceWithEmpty()) {
                refuseIfReplicated(config, client);
            }
            prepare(config, client);
            LitestreamListener observers = observers(counters);
            OperationReports operations = new OperationReports(config.name(), observers);
            DatabaseEngine database = new DatabaseEngine(
                    config,
                    client,
                    requests -> Replicas.open(config.replica(), requests, providers),
                    counters,
                    operations,
                    observers,
                    optionNames,
                    clock,
                    pools);
            add(database);
            registered = true;
            listener.onEvent(new LitestreamEvent.Registered(database));
            database.start();
            return database;
        } finally {
            if (!registered) {
                client.close();
            }
        }
    }

    private ReplicaClient open(DatabaseConfig config, EngineCounters counters) {
        return new CountingReplicaClient(Replicas.open(config.replica(), counters, providers), counters);
    }

    private EngineCounters counters(String name) {
        return counters.computeIfAbsent(name, key -> new EngineCounters());
    }

    private LitestreamListener observers(EngineCounters counters) {
        return new Listeners(List.of(counters, listener));
    }

    /**
     * Checks the replica. Permanent failures fail the start, unless the database exists and is not configured to fail
     * fast; outages are retried.
     */
    private static void prepare(DatabaseConfig config, ReplicaClient client) throws IOException {
        try {
            client.prepare();
        } catch (ReplicaAccessException e) {
            if (config.failFast() || !CaptureLane.exists(config.path())) {
                throw e;
            }
            log.warn("replica denies access, will retry: db={} replica={}", config.name(), client.url(), e);
        } catch (IOException e) {
            log.warn("replica cannot be reached, will retry: db={} replica={}", config.name(), client.url(), e);
        }
    }

    private static void refuseNoFile(Path database) throws LitestreamException {
        if (Files.exists(database) && !Files.isRegularFile(database)) {
            throw new LitestreamException(
                    database.toString(),
                    Files.isDirectory(database) ? "it is a folder" : "it is a device, a pipe or a socket",
                    "name the database file",
                    null);
        }
    }

    /**
     * Rejects a replica inside the folder of the local state: it would be mistaken for that state, and lost with it.
     */
    private static void refuseInsideLocalState(DatabaseConfig config, ReplicaClient client) throws LitestreamException {
        String folder = "file://" + config.metaPath();
        if (client.url().equals(folder) || client.url().startsWith(folder + "/")) {
            throw new LitestreamException(
                    config.path().toString(),
                    "its replica " + client.url() + " lies inside its local state " + config.metaPath(),
                    "give the replica a folder elsewhere, preferably on another disk",
                    null);
        }
    }

    /** Rejects a new database if the replica holds data, which the database would continue and hide. */
    private static void refuseIfReplicated(DatabaseConfig config, ReplicaClient client) throws IOException {
        boolean[] any = new boolean[1];
        client.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            any[0] = true;
            return false;
        });
        if (any[0]) {
            throw new LitestreamException(
                    config.path().toString(),
                    "the database does not exist, but its replica " + client.url() + " holds a backup",
                    "restore it, or give a new database another replica URL, or allow it with {replaceWithEmpty=true}",
                    null);
        }
    }

    private void add(DatabaseEngine database) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            Path path = database.config().path();
            for (DatabaseEngine other : databases.values()) {
                if (other.name().equals(database.name())
                        || other.config().path().equals(path)) {
                    throw new IllegalArgumentException(
                            "database " + database.name() + " (" + path + ") is already registered");
                }
            }
            databases.put(database.name(), database);
            database.connections().register();
            watched = List.copyOf(databases.values());
            if (maintenancePaused) {
                database.pauseMaintenance();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<ManagedDatabase> database(String name) {
        return Optional.ofNullable(find(name));
    }

    private @Nullable DatabaseEngine find(String name) {
        lock.lock();
        try {
            return databases.get(name);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Collection<ManagedDatabase> databases() {
        return List.copyOf(present());
    }

    private List<DatabaseEngine> present() {
        lock.lock();
        try {
            return List.copyOf(databases.values());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void unregister(String name) throws IOException {
        DatabaseEngine database = find(name);
        if (database != null) {
            try {
                close(database);
            } finally {
                Capture.closeUnusedFiles();
            }
        }
    }

    private void close(DatabaseEngine database) throws IOException {
        try {
            database.close();
        } finally {
            remove(database);
        }
    }

    /**
     * Removes a database. If several threads close it, the first one removes it; the name may then belong to another
     * database.
     */
    private void remove(DatabaseEngine database) {
        lock.lock();
        try {
            if (!databases.remove(database.name(), database)) {
                return;
            }
            database.connections().unregister();
            watched = List.copyOf(databases.values());
            counters.remove(database.name());
        } finally {
            lock.unlock();
        }
        listener.onEvent(new LitestreamEvent.Unregistered(database.name()));
    }

    @Override
    public void pauseMaintenance() {
        maintenance(true);
    }

    @Override
    public void resumeMaintenance() {
        maintenance(false);
    }

    /** Pauses or resumes maintenance. Files are closed without the lock, which the watch needs. */
    private void maintenance(boolean paused) {
        maintenanceLock.lock();
        try {
            List<DatabaseEngine> present;
            lock.lock();
            try {
                maintenancePaused = paused;
                present = List.copyOf(databases.values());
            } finally {
                lock.unlock();
            }
            present.forEach(paused ? DatabaseEngine::pauseMaintenance : DatabaseEngine::resumeMaintenance);
        } finally {
            maintenanceLock.unlock();
        }
    }

    @Override
    public void close() {
        closeLock.lock();
        try {
            closeAll();
        } finally {
            closeLock.unlock();
        }
    }

    private void closeAll() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        long drained = System.nanoTime() + DRAIN_TIMEOUT.toNanos();
        for (DatabaseEngine database : present()) {
            database.finish(Duration.ofNanos(Math.max(0, drained - System.nanoTime())));
        }
        for (DatabaseEngine database : present()) {
            try {
                close(database);
            } catch (IOException e) {
                log.warn("database closed with an error: db={}", database.name(), e);
            }
        }
        try {
            Capture.closeUnusedFiles();
        } catch (IOException e) {
            log.debug("closing descriptors of databases failed", e);
        }
        watching.cancel(false);
        pools.close();
    }

    /** Checks all databases, on the timer's thread. Takes no lock that may be held during file access. */
    private void watch() {
        for (DatabaseEngine database : watched) {
            try {
                database.watch();
            } catch (Throwable e) { // otherwise the timer would not run it again
                log.warn("cannot check a database for changes, will retry: db={}", database.name(), e);
            }
        }
    }
}
