package org.litestream4j.readreplica;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Options of a read replica. Immutable.
 *
 * @param name name of the read replica, as in {@code jdbc:sqlite:file:NAME?vfs=litestream&open_mode=1}: letters, digits,
 *     {@code .}, {@code _} and {@code -}; null for the last part of the URL's path
 * @param pollInterval interval between two polls of the replica, at least 1 ms
 * @param maxStaleness largest lag with which the newest state can be read; null for no limit
 * @param readTimeout time for which a read retries during an outage of the replica, positive
 * @param cacheSize size of the page cache in bytes, not negative; null for a quarter of the heap, but at most 64 MiB
 * @param readAhead largest number of bytes fetched ahead of a scan, not negative; null for a quarter of the cache
 * @param hydrate whether the whole database is fetched in the background
 * @param folder folder for the local copy and for the page indexes of files read before, which make the next start
 *     faster; null for the folder for temporary files, without indexes
 */
public record ReadReplicaOptions(
        @Nullable String name,
        Duration pollInterval,
        @Nullable Duration maxStaleness,
        Duration readTimeout,
        @Nullable Long cacheSize,
        @Nullable Long readAhead,
        boolean hydrate,
        @Nullable Path folder) {

    public static final Duration DEFAULT_POLL_INTERVAL = Duration.ofSeconds(1);

    public static final Duration DEFAULT_READ_TIMEOUT = Duration.ofSeconds(10);

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");

    /** @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed values */
    public ReadReplicaOptions {
        requireNonNull(pollInterval, "pollInterval");
        requireNonNull(readTimeout, "readTimeout");
        check(
                name == null || NAME.matcher(name).matches(),
                "name",
                "1 to 100 letters, digits, points, underscores and hyphens",
                name);
        check(pollInterval.compareTo(Duration.ofMillis(1)) >= 0, "pollInterval", "at least 1 ms", pollInterval);
        check(isPositive(maxStaleness), "maxStaleness", "positive", maxStaleness);
        check(isPositive(readTimeout), "readTimeout", "positive", readTimeout);
        check(cacheSize == null || cacheSize >= 0, "cacheSize", "0 or more bytes", cacheSize);
        check(readAhead == null || readAhead >= 0, "readAhead", "0 or more bytes", readAhead);
    }

    private static boolean isPositive(@Nullable Duration value) {
        return value == null || value.compareTo(Duration.ZERO) > 0;
    }

    private static void check(boolean isValid, String option, String allowed, @Nullable Object value) {
        if (!isValid) {
            throw new IllegalArgumentException(option + " must be " + allowed + ": " + value);
        }
    }

    public static ReadReplicaOptions defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Builder of options. Not thread-safe; {@link #build} validates the options. */
    public static final class Builder {

        private @Nullable String name;
        private Duration pollInterval = DEFAULT_POLL_INTERVAL;
        private @Nullable Duration maxStaleness;
        private Duration readTimeout = DEFAULT_READ_TIMEOUT;
        private @Nullable Long cacheSize;
        private @Nullable Long readAhead;
        private boolean hydrate;
        private @Nullable Path folder;

        private Builder() {}

        public Builder name(@Nullable String value) {
            name = value;
            return this;
        }

        public Builder pollInterval(Duration value) {
            pollInterval = value;
            return this;
        }

        public Builder maxStaleness(@Nullable Duration value) {
            maxStaleness = value;
            return this;
        }

        public Builder readTimeout(Duration value) {
            readTimeout = value;
            return this;
        }

        public Builder cacheSize(long bytes) {
            cacheSize = bytes;
            return this;
        }

        public Builder readAhead(long bytes) {
            readAhead = bytes;
            return this;
        }

        public Builder hydrate(boolean value) {
            hydrate = value;
            return this;
        }

        public Builder folder(@Nullable Path value) {
            folder = value;
            return this;
        }

        /**
         * Validates the options and returns them.
         *
         * @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed values
         */
        public ReadReplicaOptions build() {
            return new ReadReplicaOptions(
                    name, pollInterval, maxStaleness, readTimeout, cacheSize, readAhead, hydrate, folder);
        }
    }
}
