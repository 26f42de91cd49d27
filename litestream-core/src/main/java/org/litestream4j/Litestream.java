package org.litestream4j;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.litestream4j.error.OptionNames;
import org.litestream4j.internal.engine.LitestreamEngine;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;

/**
 * Replicates SQLite databases of this process. {@link #register} each database, put {@link ManagedDatabase#wrap} below
 * its connection pool, and {@link #close} the instance when the application ends. Thread-safe.
 */
public interface Litestream extends AutoCloseable {

    static Builder builder() {
        return new Builder();
    }

    /**
     * Restores a database whose file is missing or has 0 bytes: to the newest state of its replica, plus newer changes
     * found in the local state. A database without any table, user version, application id or local state counts as
     * missing too, if its replica holds a backup. Call this before any connection opens the database, and before {@link #register}.
     *
     * @return the result of the restore; empty if the database exists, or if there is no backup of it
     * @throws org.litestream4j.restore.RestoreException if there is a backup that cannot be restored
     * @throws IOException if the replica cannot be read; the application should then not start with an empty
     *     database in place of the backup
     */
    Optional<RestoreResult> restoreIfMissing(DatabaseConfig config) throws IOException;

    /**
     * Restores a missing database as {@link #restoreIfMissing(DatabaseConfig)} does, with options.
     *
     * @param options integrity check, parallelism, listener and cancellation; the other options are ignored
     */
    Optional<RestoreResult> restoreIfMissing(DatabaseConfig config, RestoreOptions options) throws IOException;

    /**
     * Starts the replication of a database. If its file exists, it is held open when this method returns. Otherwise, it
     * is opened after the application's first connection.
     *
     * @throws IllegalArgumentException if the configuration is contradictory, or if the name or the path is already
     *     registered
     * @throws LitestreamException if the database must not be replicated in its present state; the message contains
     *     the remedy
     * @throws ReplicaAccessException if the replica denies access permanently; for an existing database, only if it
     *     is configured to {@linkplain DatabaseConfig#failFast fail fast}
     * @throws IOException if the database does not exist, and the replica cannot be checked for a backup of it
     */
    ManagedDatabase register(DatabaseConfig config) throws IOException;

    /** Returns the database with the given name; empty if none is registered. */
    Optional<ManagedDatabase> database(String name);

    /** Returns all registered databases, in the order of their registration. */
    Collection<ManagedDatabase> databases();

    /**
     * Replicates the remaining changes of a database and releases it. Unknown names are ignored.
     *
     * @throws LitestreamException if not all changes could be replicated
     */
    void unregister(String name) throws IOException;

    /**
     * Stops merges, snapshots, retention and scheduled validations of all databases, and starts no new ones until
     * {@link #resumeMaintenance}. Meant for an application that is about to shut down and needs the time until
     * {@link #close} for its own work. Running work ends soon after this method has returned. Capture and uploads
     * continue. Idempotent; does not block.
     */
    void pauseMaintenance();

    /** Resumes the work stopped by {@link #pauseMaintenance}. Work that has become due in the meantime starts now. Idempotent. */
    void resumeMaintenance();

    /**
     * Replicates the remaining changes of every database, each within its own shutdown timeout, and releases the
     * databases. Changes that cannot be replicated are logged; they stay in the local state and are uploaded after the
     * next start. Idempotent: a second call waits until the first has finished.
     */
    @Override
    void close();

    /** Builder with the settings that all databases share. Not thread-safe. */
    final class Builder {
        private Clock clock = Clock.systemUTC();
        private Duration watchInterval = Duration.ofSeconds(1);
        private OptionNames optionNames = OptionNames.PLAIN;
        private final List<LitestreamListener> listeners = new ArrayList<>();
        private final List<ReplicaProvider> providers = new ArrayList<>();

        private Builder() {}

        /** Sets the source of all timestamps; default: the system clock. */
        public Builder clock(Clock value) {
            clock = requireNonNull(value, "clock");
            return this;
        }

        /** Sets the interval at which databases are checked for commits of other processes; default: 1 s. */
        public Builder watchInterval(Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException("watchInterval = " + value + ": must be positive");
            }
            watchInterval = value;
            return this;
        }

        /** Adds a listener to be notified of events. */
        public Builder listener(LitestreamListener value) {
            listeners.add(requireNonNull(value, "listener"));
            return this;
        }

        /**
         * Sets how {@link DatabaseStatus#lastError} and events name the options of a database; default: as {@link
         * DatabaseConfig.Builder} does.
         */
        public Builder optionNames(OptionNames value) {
            optionNames = requireNonNull(value, "optionNames");
            return this;
        }

        /**
         * Adds a backend provided by the application, for example one with its own client or credentials. For its URL
         * schemes, it replaces the backend found on the class path.
         */
        public Builder replicaProvider(ReplicaProvider value) {
            providers.add(requireNonNull(value, "replicaProvider"));
            return this;
        }

        /** Starts the engine, including a thread that checks for commits of other processes until the engine is closed. */
        public Litestream build() {
            return new LitestreamEngine(clock, watchInterval, listeners, providers, optionNames);
        }
    }
}
