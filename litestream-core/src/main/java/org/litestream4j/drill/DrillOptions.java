package org.litestream4j.drill;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;

/**
 * Options of a drill. Immutable.
 *
 * @param database name of the database, for the report and for checks; may be empty
 * @param directory folder for restored databases; created if missing. Several drills may share it
 * @param past state to restore besides the newest one; null for a random moment of the retained past
 * @param checks checks of the user
 * @param foreignKeys whether rows that violate foreign keys are a finding
 * @param deep whether to read every file of the replica, not only those of the restored states and level 0
 * @param timeout longest duration of the drill; positive
 * @param minFree free space in bytes that the drill leaves on the disk of {@code directory}; 0 or more
 * @param load percentage of one processor, disk and connection that the drill uses, 1 to 100; below 100, it pauses after
 *     each step of its work
 * @param parallelism number of connections to the replica, 1 to {@link RestoreOptions#MAX_PARALLELISM}
 * @param prices prices of the store
 * @param cancelled polled a few times a second; returns true to end the drill
 * @param clock clock that decides what is in the future
 */
public record DrillOptions(
        String database,
        Path directory,
        @Nullable RestoreTarget past,
        List<RestoreDrillCheck> checks,
        boolean foreignKeys,
        boolean deep,
        Duration timeout,
        long minFree,
        int load,
        int parallelism,
        DrillPrices prices,
        BooleanSupplier cancelled,
        Clock clock) {

    public static final Duration DEFAULT_TIMEOUT = Duration.ofHours(1);

    /** Default of {@link #minFree} in bytes: 256 MiB. */
    public static final long DEFAULT_MIN_FREE = 256L << 20;

    public static final int DEFAULT_LOAD = 25;

    /** @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed values */
    public DrillOptions {
        requireNonNull(database, "database");
        requireNonNull(directory, "directory");
        checks = List.copyOf(checks);
        requireNonNull(timeout, "timeout");
        requireNonNull(prices, "prices");
        requireNonNull(cancelled, "cancelled");
        requireNonNull(clock, "clock");
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout = " + timeout + ": must be positive");
        }
        if (minFree < 0) {
            throw new IllegalArgumentException("minFree = " + minFree + ": must be 0 or more bytes");
        }
        if (load < 1 || load > 100) {
            throw new IllegalArgumentException("load = " + load + ": must be 1 to 100 percent");
        }
        if (parallelism < 1 || parallelism > RestoreOptions.MAX_PARALLELISM) {
            throw new IllegalArgumentException(
                    "parallelism = " + parallelism + ": must be 1 to " + RestoreOptions.MAX_PARALLELISM);
        }
        if (past instanceof RestoreTarget.AtTimestamp at && at.timestamp().isAfter(clock.instant())) {
            throw new IllegalArgumentException("past = " + at.timestamp() + ": is in the future");
        }
    }

    /**
     * Returns a builder with the default options.
     *
     * @param directory folder for restored databases
     */
    public static Builder builder(Path directory) {
        return new Builder(directory);
    }

    /** Returns these options for another database, whose checks are those that apply to it. */
    public DrillOptions withDatabase(String name) {
        return new DrillOptions(
                name,
                directory,
                past,
                checks.stream().filter(check -> check.appliesTo(name)).toList(),
                foreignKeys,
                deep,
                timeout,
                minFree,
                load,
                parallelism,
                prices,
                cancelled,
                clock);
    }

    /** Returns these options, which also end the drill when the given condition becomes true. */
    public DrillOptions orCancelledBy(BooleanSupplier condition) {
        return new DrillOptions(
                database,
                directory,
                past,
                checks,
                foreignKeys,
                deep,
                timeout,
                minFree,
                load,
                parallelism,
                prices,
                () -> condition.getAsBoolean() || cancelled.getAsBoolean(),
                clock);
    }

    /** Builder of options. Not thread-safe; {@link #build} validates the options. */
    public static final class Builder {

        private final Path directory;
        private String database = "";
        private @Nullable RestoreTarget past;
        private final List<RestoreDrillCheck> checks = new ArrayList<>();
        private boolean foreignKeys = true;
        private boolean deep;
        private Duration timeout = DEFAULT_TIMEOUT;
        private long minFree = DEFAULT_MIN_FREE;
        private int load = DEFAULT_LOAD;
        private int parallelism = 1;
        private DrillPrices prices = DrillPrices.S3_STANDARD;
        private BooleanSupplier cancelled = () -> false;
        private Clock clock = Clock.systemUTC();

        private Builder(Path directory) {
            this.directory = directory;
        }

        public Builder database(String value) {
            database = value;
            return this;
        }

        public Builder past(@Nullable RestoreTarget value) {
            past = value;
            return this;
        }

        public Builder check(RestoreDrillCheck value) {
            checks.add(requireNonNull(value, "check"));
            return this;
        }

        public Builder foreignKeys(boolean value) {
            foreignKeys = value;
            return this;
        }

        public Builder deep(boolean value) {
            deep = value;
            return this;
        }

        public Builder timeout(Duration value) {
            timeout = value;
            return this;
        }

        public Builder minFree(long value) {
            minFree = value;
            return this;
        }

        public Builder load(int value) {
            load = value;
            return this;
        }

        public Builder parallelism(int value) {
            parallelism = value;
            return this;
        }

        public Builder prices(DrillPrices value) {
            prices = value;
            return this;
        }

        public Builder cancelled(BooleanSupplier value) {
            cancelled = value;
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
        public DrillOptions build() {
            return new DrillOptions(
                    database,
                    directory,
                    past,
                    checks,
                    foreignKeys,
                    deep,
                    timeout,
                    minFree,
                    load,
                    parallelism,
                    prices,
                    cancelled,
                    clock);
        }
    }
}
