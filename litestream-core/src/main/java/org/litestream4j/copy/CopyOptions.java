package org.litestream4j.copy;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Options of a copy. Immutable.
 *
 * @param since oldest moment that the target must be able to restore; null for all that the source contains
 * @param latestOnly whether to copy only the files that restore the newest state; excludes {@code since} and {@code
 *     deleteExtra}
 * @param deleteExtra whether to delete the target's files that the source no longer contains, after all others were
 *     copied; excludes {@code since}
 * @param concurrency number of files that are copied at the same time, 1 to {@link #MAX_CONCURRENCY}
 * @param listener receives the progress
 * @param cancelled polled a few times a second; returns true to cancel the copy
 */
public record CopyOptions(
        @Nullable Instant since,
        boolean latestOnly,
        boolean deleteExtra,
        int concurrency,
        CopyListener listener,
        BooleanSupplier cancelled) {

    public static final int DEFAULT_CONCURRENCY = 4;

    public static final int MAX_CONCURRENCY = 64;

    /** @throws IllegalArgumentException if an option is invalid; names the option, its value and the allowed values */
    public CopyOptions {
        requireNonNull(listener, "listener");
        requireNonNull(cancelled, "cancelled");
        if (concurrency < 1 || concurrency > MAX_CONCURRENCY) {
            throw new IllegalArgumentException("concurrency must be 1 to " + MAX_CONCURRENCY + ": " + concurrency);
        }
        if (since != null && latestOnly) {
            throw new IllegalArgumentException("since and latestOnly exclude each other");
        }
        if (deleteExtra && (since != null || latestOnly)) {
            throw new IllegalArgumentException("deleteExtra requires a copy of the whole replica");
        }
    }

    /** Returns options that copy the whole replica. */
    public static CopyOptions defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Builder of options. Not thread-safe; {@link #build} validates the options. */
    public static final class Builder {

        private @Nullable Instant since;
        private boolean latestOnly;
        private boolean deleteExtra;
        private int concurrency = DEFAULT_CONCURRENCY;
        private CopyListener listener = CopyListener.NONE;
        private BooleanSupplier cancelled = () -> false;

        private Builder() {}

        public Builder since(@Nullable Instant value) {
            since = value;
            return this;
        }

        public Builder latestOnly(boolean value) {
            latestOnly = value;
            return this;
        }

        public Builder deleteExtra(boolean value) {
            deleteExtra = value;
            return this;
        }

        public Builder concurrency(int value) {
            concurrency = value;
            return this;
        }

        public Builder listener(CopyListener value) {
            listener = value;
            return this;
        }

        public Builder cancelled(BooleanSupplier value) {
            cancelled = value;
            return this;
        }

        /**
         * Returns the options.
         *
         * @throws IllegalArgumentException if an option is invalid
         */
        public CopyOptions build() {
            return new CopyOptions(since, latestOnly, deleteExtra, concurrency, listener, cancelled);
        }
    }
}
