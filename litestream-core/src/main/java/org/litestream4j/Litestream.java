package org.litestream4j;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.litestream4j.internal.engine.LitestreamEngine;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;

/**
 * Replicates SQLite databases of this process: {@link #register} each, put {@link ManagedDatabase#wrap} below its pool, and
 * {@link #close} when the application ends. Thread-safe.
 */
public interface Litestream extends AutoCloseable {

    static Builder builder() {
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
    Optional<RestoreResult> restoreIfMissing(DatabaseConfig config) throws IOException;

    /**
     * As {@link #restoreIfMissing(DatabaseConfig)}.
     *
     * @param options check, parallelism, listener, cancelled; the other options do not apply
     */
    Optional<RestoreResult> restoreIfMissing(DatabaseConfig config, RestoreOptions options) throws IOException;

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
    ManagedDatabase register(DatabaseConfig config) throws IOException;

    /** The database of that name, if it is registered. */
    Optional<ManagedDatabase> database(String name);

    /** All registered databases, in the order of their registration. */
    Collection<ManagedDatabase> databases();

    /**
     * Replicates what is left of a database and lets go of it; unknown names are ignored.
     *
     * @throws LitestreamException if not everything could be replicated
     */
    void unregister(String name) throws IOException;

    /**
     * Ends merges, snapshots, retention and scheduled validations of all databases, soon, and begins none until {@link
     * #resumeMaintenance}: for an application that is about to end, and has better use for the time until {@link #close}.
     * Capture and uploads go on. Idempotent; returns at once.
     */
    void pauseMaintenance();

    /** Takes them up again; what became due meanwhile follows now. Idempotent. */
    void resumeMaintenance();

    /**
     * Replicates what is left of every database, each within its own shutdown timeout, and releases them. Idempotent: a second
     * call waits until the first is done. What could not be replicated is logged; it lies in the local state and follows with the
     * next start.
     */
    @Override
    void close();

    /** Collects what all databases share; not thread-safe. */
    final class Builder {
        private Clock clock = Clock.systemUTC();
        private Duration watchInterval = Duration.ofSeconds(1);
        private final List<LitestreamListener> listeners = new ArrayList<>();
        private final List<ReplicaProvider> providers = new ArrayList<>();

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

        /** Starts the engine, with a thread that watches for commits of other processes until it is closed. */
        public Litestream build() {
            return new LitestreamEngine(clock, watchInterval, listeners, providers);
        }
    }
}
