package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.time.Clock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaClient;

/**
 * Options of a restore. Immutable.
 *
 * @param target state to restore
 * @param force whether an existing database is replaced; it is kept until the restore has succeeded. Implies
 *     {@code moveLeftoversAside}
 * @param moveLeftoversAside whether {@code -wal}, {@code -shm} and {@code -journal} files beside the target are
 *     renamed; if false, the restore fails because of them
 * @param integrityCheck integrity check to run before the file gets its final name
 * @param compareChecksum whether the restored database must match the checksum taken when its state was captured,
 *     if the replica contains that checksum
 * @param parallelism number of connections to the replica, 1 to {@link #MAX_PARALLELISM}; each takes less than a
 *     megabyte of memory
 * @param listener receives the progress
 * @param cancelled polled a few times a second; returns true to cancel the restore
 * @param local files that may not be on the replica yet (the local state beside the lost database); valid level-0
 *     files that continue the replica's newest state are applied, too. Used only for the newest state
 * @param clock clock that decides whether a time is in the future
 */
public record RestoreOptions(
        RestoreTarget target,
        boolean force,
        boolean moveLeftoversAside,
        IntegrityCheck integrityCheck,
        boolean compareChecksum,
        int parallelism,
        RestoreListener listener,
        BooleanSupplier cancelled,
        @Nullable ReplicaClient local,
        Clock clock) {

    public static final int DEFAULT_PARALLELISM = 8;

    public static final int MAX_PARALLELISM = 64;

    /** @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed values */
    public RestoreOptions {
        requireNonNull(target, "target");
        requireNonNull(integrityCheck, "integrityCheck");
        requireNonNull(listener, "listener");
        requireNonNull(cancelled, "cancelled");
        requireNonNull(clock, "clock");
        if (parallelism < 1 || parallelism > MAX_PARALLELISM) {
            throw new IllegalArgumentException("parallelism must be 1 to " + MAX_PARALLELISM + ": " + parallelism);
        }
        if (local != null && !(target instanceof RestoreTarget.Latest)) {
            throw new IllegalArgumentException("local files are for the newest state only, not for " + target);
        }
    }

    /** Returns options that restore the newest state to a file that does not exist. */
    public static RestoreOptions defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Returns these options with another listener. */
    public RestoreOptions withListener(RestoreListener value) {
        return new RestoreOptions(
                target,
                force,
                moveLeftoversAside,
                integrityCheck,
                compareChecksum,
                parallelism,
                value,
                cancelled,
                local,
                clock);
    }

    /** Builder of options. Not thread-safe; {@link #build} validates the options. */
    public static final class Builder {

        private RestoreTarget target = RestoreTarget.latest();
        private boolean force;
        private boolean moveLeftoversAside;
        private IntegrityCheck integrityCheck = IntegrityCheck.NONE;
        private boolean compareChecksum = true;
        private int parallelism = DEFAULT_PARALLELISM;
        private RestoreListener listener = RestoreListener.NONE;
        private BooleanSupplier cancelled = () -> false;
        private @Nullable ReplicaClient local;
        private Clock clock = Clock.systemUTC();

        private Builder() {}

        public Builder target(RestoreTarget value) {
            target = value;
            return this;
        }

        public Builder force(boolean value) {
            force = value;
            return this;
        }

        public Builder moveLeftoversAside(boolean value) {
            moveLeftoversAside = value;
            return this;
        }

        public Builder integrityCheck(IntegrityCheck value) {
            integrityCheck = value;
            return this;
        }

        public Builder compareChecksum(boolean value) {
            compareChecksum = value;
            return this;
        }

        public Builder parallelism(int value) {
            parallelism = value;
            return this;
        }

        public Builder listener(RestoreListener value) {
            listener = value;
            return this;
        }

        public Builder cancelled(BooleanSupplier value) {
            cancelled = value;
            return this;
        }

        public Builder local(@Nullable ReplicaClient value) {
            local = value;
            return this;
        }

        public Builder clock(Clock value) {
            clock = value;
            return this;
        }

        /**
         * Validates the options and returns them.
         *
         * @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed
         *     values
         */
        public RestoreOptions build() {
            return new RestoreOptions(
                    target,
                    force,
                    moveLeftoversAside,
                    integrityCheck,
                    compareChecksum,
                    parallelism,
                    listener,
                    cancelled,
                    local,
                    clock);
        }
    }
}
