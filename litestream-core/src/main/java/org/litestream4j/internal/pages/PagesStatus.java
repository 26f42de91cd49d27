package org.litestream4j.internal.pages;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * What the readers of a replica see and cost.
 *
 * @param newest newest known state; null if it was not asked for
 * @param problem why the replica could not be listed last; null if it could
 * @param cacheHits pages that were read from the cache
 * @param cacheMisses pages that had to be fetched, or were on their way
 * @param cacheBytes bytes of pages in the cache
 * @param requests requests to the replica, for listings and ranges of files
 * @param bytesRead bytes of files that were read from the replica
 */
public record PagesStatus(
        @Nullable StateInfo newest,
        @Nullable String problem,
        long cacheHits,
        long cacheMisses,
        long cacheBytes,
        long requests,
        long bytesRead,
        HydrationStatus hydration) {

    public PagesStatus {
        requireNonNull(hydration, "hydration");
    }
}
