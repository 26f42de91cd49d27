package org.litestream4j.internal.pages;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Options of {@link ReplicaPages}. Immutable.
 *
 * @param pollInterval time between two listings for new files, at least 1 ms; longer without readers and
 *     changes. A replica in a folder is listed more often
 * @param maxStaleness largest lag with which the newest state may be read; null if any
 * @param deadline how long a read waits for the replica, positive
 * @param cacheSize size of the cache for decoded pages, in bytes, not negative
 * @param readAhead largest number of bytes of pages that are fetched ahead of one scan, at most half of the cache; 0 to
 *     fetch nothing ahead
 * @param parallelism number of concurrent requests for pages, 1 to {@link #MAX_PARALLELISM}
 * @param folder folder for page indexes and the hydrated database; null to keep indexes in memory, and the hydrated
 *     database in the folder for temporary files
 * @param hydrate whether the whole database is fetched in the background
 */
public record PagesOptions(
        Duration pollInterval,
        @Nullable Duration maxStaleness,
        Duration deadline,
        long cacheSize,
        long readAhead,
        int parallelism,
        @Nullable Path folder,
        boolean hydrate) {

    public static final int MAX_PARALLELISM = 64;

    private static final long DEFAULT_CACHE = 64L << 20;

    /** @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed values */
    public PagesOptions {
        requireNonNull(pollInterval, "pollInterval");
        requireNonNull(deadline, "deadline");
        check(pollInterval.compareTo(Duration.ofMillis(1)) >= 0, "pollInterval", "at least 1 ms", pollInterval);
        check(
                maxStaleness == null || maxStaleness.compareTo(Duration.ZERO) > 0,
                "maxStaleness",
                "positive",
                String.valueOf(maxStaleness));
        check(deadline.compareTo(Duration.ZERO) > 0, "deadline", "positive", deadline);
        check(cacheSize >= 0, "cacheSize", "0 or more bytes", cacheSize);
        check(readAhead >= 0 && readAhead <= cacheSize / 2, "readAhead", "0 to half of cacheSize", readAhead);
        check(
                parallelism >= 1 && parallelism <= MAX_PARALLELISM,
                "parallelism",
                "1 to " + MAX_PARALLELISM,
                parallelism);
    }

    private static void check(boolean ok, String option, String allowed, Object value) {
        if (!ok) {
            throw new IllegalArgumentException(option + " must be " + allowed + ": " + value);
        }
    }

    public static PagesOptions defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Builder of options. Not thread-safe; {@link #build} validates the options. */
    public static final class Builder {

        private Duration pollInterval = Duration.ofSeconds(1);
        private @Nullable Duration maxStaleness;
        private Duration deadline = Duration.ofSeconds(10);

        /** A quarter of a small heap. */
        private long cacheSize = Math.min(DEFAULT_CACHE, Runtime.getRuntime().maxMemory() / 4);

        private long readAhead = -1;
        private int parallelism = 8;
        private @Nullable Path folder;
        private boolean hydrate;

        private Builder() {}

        public Builder pollInterval(Duration value) {
            pollInterval = value;
            return this;
        }

        public Builder maxStaleness(@Nullable Duration value) {
            maxStaleness = value;
            return this;
        }

        public Builder deadline(Duration value) {
            deadline = value;
            return this;
        }

        public Builder cacheSize(long value) {
            cacheSize = value;
            return this;
        }

        /** By default, a quarter of the cache. */
        public Builder readAhead(long value) {
            check(value >= 0, "readAhead", "0 or more bytes", value);
            readAhead = value;
            return this;
        }

        public Builder parallelism(int value) {
            parallelism = value;
            return this;
        }

        public Builder folder(@Nullable Path value) {
            folder = value;
            return this;
        }

        public Builder hydrate(boolean value) {
            hydrate = value;
            return this;
        }

        /**
         * Validates the options and returns them.
         *
         * @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed values
         */
        public PagesOptions build() {
            return new PagesOptions(
                    pollInterval,
                    maxStaleness,
                    deadline,
                    cacheSize,
                    readAhead < 0 ? cacheSize / 4 : readAhead,
                    parallelism,
                    folder,
                    hydrate);
        }
    }
}
