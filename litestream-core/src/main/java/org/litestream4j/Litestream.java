package org.litestream4j;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
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
import org.litestream4j.capture.Capture;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replicates SQLite databases of this process: {@link #register} each, put {@link ManagedDatabase#wrap} below its pool, and
 * {@link #close} when the application ends. Thread-safe.
 */
public final class Litestream implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Litestream.class);

    /** How long closing waits for the application's connections, of all databases. */
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private final Clock clock;
    private final LitestreamListener listener;
    private final List<ReplicaProvider> providers;
    private final Pools pools;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, ManagedDatabase> databases = new LinkedHashMap<>(); // guarded by lock
    private volatile List<ManagedDatabase> watched = List.of(); // written with the lock

    /** By name; those of a restore before the start go on counting after it. */
    private final Map<String, EngineCounters> counters = new ConcurrentHashMap<>();

    private final ScheduledFuture<?> watching;
    private final ReentrantLock maintenanceLock = new ReentrantLock();
    private final ReentrantLock closeLock = new ReentrantLock();
    private boolean maintenancePaused; // guarded by lock
    private boolean closed; // guarded by lock

    private Litestream(Builder builder) {
        this.clock = builder.clock;
        this.listener = new Listeners(builder.listeners);
        this.providers = List.copyOf(builder.providers);
        this.pools = new Pools(builder.threads);
        long watch = builder.watchInterval.toNanos();
        this.watching = pools.timer.scheduleWithFixedDelay(this::watch, watch, watch, TimeUnit.NANOSECONDS);
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Restores a database whose file is missing (or has 0 bytes) to the newest state of its replica, and what local files
     * hold beyond it. To be called before anybody opens the database, and before {@link #register}.
     *
     * @return what was restored; empty if the database is there, or there is no backup of it
     * @throws org.litestream4j.restore.RestoreException if there is a backup that cannot be restored
     * @throws IOException if the replica cannot be asked: better no start than an empty database in place of a backup
     */
    public Optional<RestoreResult> restoreIfMissing(DatabaseConfig config) throws IOException {
        return restoreIfMissing(config, RestoreOptions.defaults());
    }

    /**
     * As {@link #restoreIfMissing(DatabaseConfig)}.
     *
     * @param options check, parallelism, listener, cancelled; the other options do not apply
     */
    public Optional<RestoreResult> restoreIfMissing(DatabaseConfig config, RestoreOptions options) throws IOException {
        requireNonNull(config, "config");
        requireNonNull(options, "options");
        EngineCounters counters = counters(config.name());
        Optional<RestoreResult> restored;
        try (ReplicaClient client = open(config, counters)) {
            refuseInsideLocalState(config, client);
            restored = new StartupRestore(config, client, options, clock, counters).run();
        }
        restored.ifPresent(
                result -> listener.onEvent(new LitestreamEvent.Restored(config.name(), config.path(), result)));
        return restored;
    }

    /**
     * Begins to replicate a database. If its file exists, it is held open when this returns; else it is attached behind its
     * first connection.
     *
     * @throws IllegalArgumentException if the configuration contradicts itself, or the name or path is registered already
     * @throws LitestreamException if the database must not be replicated as it is; says what to do
     * @throws ReplicaAccessException if the replica refuses, and will go on refusing until somebody changes something; not for a
     *     database that exists, unless it is to {@linkplain DatabaseConfig#failFast fail fast}
     * @throws IOException if the database does not exist, and whether the replica holds a backup of it cannot be told
     */
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
            ManagedDatabase database = new ManagedDatabase(config, client, counters, listener, clock, pools);
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
        return counters.computeIfAbsent(name, key -> new EngineCounters(new Operations(key, listener)));
    }

    /** What will not pass by waiting fails the start, unless the database is there and need not fail fast; an outage is retried. */
    private static void prepare(DatabaseConfig config, ReplicaClient client) throws IOException {
        try {
            client.prepare();
        } catch (ReplicaAccessException e) {
            if (config.failFast() || !CaptureLane.exists(config.path())) {
                throw e;
            }
            log.warn("replica refuses, will retry: db={} replica={}", config.name(), client.url(), e);
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

    /** A replica in a folder of the local state would be mistaken for it, and be lost with it. */
    private static void refuseInsideLocalState(DatabaseConfig config, ReplicaClient client) throws LitestreamException {
        String folder = "file://" + config.metaPath();
        if (client.url().equals(folder) || client.url().startsWith(folder + "/")) {
            throw new LitestreamException(
                    config.path().toString(),
                    "its replica " + client.url() + " lies inside its local state " + config.metaPath(),
                    "give the replica a folder elsewhere, best on another disk",
                    null);
        }
    }

    /** A new database would follow on what the replica holds, and hide it. */
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
                    "restore it, or give a new database another replica URL, or allow it in the application with"
                            + " litestream.replace-with-empty=true (in plain Java replaceWithEmpty)",
                    null);
        }
    }

    private void add(ManagedDatabase database) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            Path path = database.config().path();
            for (ManagedDatabase other : databases.values()) {
                if (other.name().equals(database.name())
                        || other.config().path().equals(path)) {
                    throw new IllegalArgumentException(
                            "database " + database.name() + " (" + path + ") is registered already");
                }
            }
            databases.put(database.name(), database);
            RegisteredDatabases.add(database);
            watched = List.copyOf(databases.values());
            if (maintenancePaused) {
                database.pauseMaintenance();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The database of that name, if it is registered. */
    public Optional<ManagedDatabase> database(String name) {
        lock.lock();
        try {
            return Optional.ofNullable(databases.get(name));
        } finally {
            lock.unlock();
        }
    }

    /** All registered databases, in the order of their registration. */
    public Collection<ManagedDatabase> databases() {
        lock.lock();
        try {
            return List.copyOf(databases.values());
        } finally {
            lock.unlock();
        }
    }

    /**
     * Replicates what is left of a database and lets go of it; unknown names are ignored.
     *
     * @throws LitestreamException if not everything could be replicated
     */
    public void unregister(String name) throws IOException {
        Optional<ManagedDatabase> database = database(name);
        if (database.isPresent()) {
            try {
                close(database.get());
            } finally {
                Capture.closeUnusedFiles();
            }
        }
    }

    private void close(ManagedDatabase database) throws IOException {
        try {
            database.close();
        } finally {
            remove(database);
        }
    }

    /** Of several threads that close a database, the first removes it; the name may have another one then. */
    private void remove(ManagedDatabase database) {
        lock.lock();
        try {
            if (!databases.remove(database.name(), database)) {
                return;
            }
            RegisteredDatabases.remove(database);
            watched = List.copyOf(databases.values());
            counters.remove(database.name());
        } finally {
            lock.unlock();
        }
        listener.onEvent(new LitestreamEvent.Unregistered(database.name()));
    }

    /**
     * Ends merges, snapshots, retention and scheduled validations of all databases, soon, and begins none until {@link
     * #resumeMaintenance}: for an application that is about to end, and has better use for the time until {@link #close}.
     * Capture and uploads go on. Idempotent; returns at once.
     */
    public void pauseMaintenance() {
        maintenance(true);
    }

    /** Takes them up again; what became due meanwhile follows now. Idempotent. */
    public void resumeMaintenance() {
        maintenance(false);
    }

    /** Files are closed without the lock, which the watch needs. */
    private void maintenance(boolean paused) {
        maintenanceLock.lock();
        try {
            List<ManagedDatabase> present;
            lock.lock();
            try {
                maintenancePaused = paused;
                present = List.copyOf(databases.values());
            } finally {
                lock.unlock();
            }
            present.forEach(paused ? ManagedDatabase::pauseMaintenance : ManagedDatabase::resumeMaintenance);
        } finally {
            maintenanceLock.unlock();
        }
    }

    /**
     * Replicates what is left of every database, each within its own shutdown timeout, and releases them. Idempotent: a second
     * call waits until the first is done. What could not be replicated is logged; it lies in the local state and follows with the
     * next start.
     */
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
        for (ManagedDatabase database : databases()) {
            database.finish(Duration.ofNanos(Math.max(0, drained - System.nanoTime())));
        }
        for (ManagedDatabase database : databases()) {
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

    /** On the timer's thread: takes no lock that may be held while files are used. */
    private void watch() {
        for (ManagedDatabase database : watched) {
            try {
                database.watch();
            } catch (Throwable e) { // else it would be the last time
                log.warn("cannot check a database for changes, will retry: db={}", database.name(), e);
            }
        }
    }

    /** Collects what all databases share; not thread-safe. */
    public static final class Builder {
        private Clock clock = Clock.systemUTC();
        private Duration watchInterval = Duration.ofSeconds(1);
        private final List<LitestreamListener> listeners = new ArrayList<>();
        private final List<ReplicaProvider> providers = new ArrayList<>();
        private ThreadFactory threads = Pools.threads();

        private Builder() {}

        /** Source of all timestamps; the system's by default. */
        public Builder clock(Clock value) {
            clock = requireNonNull(value, "clock");
            return this;
        }

        /** How often databases are looked at for commits of other processes; 1 s by default. */
        public Builder watchInterval(Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException("watchInterval = " + value + ": must be positive");
            }
            watchInterval = value;
            return this;
        }

        /** Adds one that is told of what happens. */
        public Builder listener(LitestreamListener value) {
            listeners.add(requireNonNull(value, "listener"));
            return this;
        }

        /**
         * Adds a backend that the application made itself, for example one with a client or credentials of its own. For the
         * schemes that it serves it takes the place of the backend that would be found.
         */
        public Builder replicaProvider(ReplicaProvider value) {
            providers.add(requireNonNull(value, "replicaProvider"));
            return this;
        }

        /** For tests: makes all threads. */
        Builder threads(ThreadFactory value) {
            threads = value;
            return this;
        }

        public Litestream build() {
            return new Litestream(this);
        }
    }
}
