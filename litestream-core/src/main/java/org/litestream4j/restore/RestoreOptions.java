package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.time.Clock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaClient;

/**
 * How to restore.
 *
 * @param target which state
 * @param force replace a database that is there; it is kept until the restore has succeeded. Implies
 *     {@code moveLeftoversAside}
 * @param moveLeftoversAside give {@code -wal}, {@code -shm} and {@code -journal} files beside the target another name
 *     instead of refusing
 * @param integrityCheck before the file gets its final name
 * @param compareChecksum whether the restored database must have the checksum that was taken when its state was captured, where
 *     the replica keeps it
 * @param parallelism connections to the replica, 1 to {@link #MAX_PARALLELISM}; memory grows with it, by less than a
 *     megabyte each
 * @param listener told of progress
 * @param cancelled asked some times a second; true ends the restore
 * @param local files that may not be on the replica yet (the staging beside the lost database): its valid level-0 files
 *     that continue the replica's newest state are applied too. Only for the newest state
 * @param clock tells which moments are in the future
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

    /** @throws IllegalArgumentException naming the option, its value and what is allowed */
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

    /** The newest state, into a file that does not exist. */
    public static RestoreOptions defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The same with another listener. */
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

    /** Collects options; {@link #build} checks them. */
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
         * Checks and makes the options.
         *
         * @throws IllegalArgumentException naming the option, its value and what is allowed
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
