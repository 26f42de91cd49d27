package org.litestream4j.readreplica;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * Status of a read replica at one moment.
 *
 * @param name name of the read replica
 * @param replica address of the replica, without secrets
 * @param txid newest known transaction
 * @param timestamp time of that transaction
 * @param lag time since the replica was last known to contain no newer transaction
 * @param problem why the replica could not be polled last; null if it could
 * @param cacheHits number of pages read from the cache
 * @param cacheMisses number of pages fetched from the replica
 * @param cacheBytes size of the pages in the cache, in bytes
 * @param requests number of requests sent to the replica
 * @param bytesRead number of bytes read from the replica
 * @param hydration state of the local copy
 * @param hydrated part of the database that is local, from 0 to 1
 * @param fallback why the replica is restored before it is queried; null if pages are fetched on demand
 */
public record ReadReplicaStatus(
        String name,
        String replica,
        Txid txid,
        Instant timestamp,
        Duration lag,
        @Nullable String problem,
        long cacheHits,
        long cacheMisses,
        long cacheBytes,
        long requests,
        long bytesRead,
        Hydration hydration,
        double hydrated,
        @Nullable String fallback) {

    /** States of the local copy of a database. */
    public enum Hydration {
        /** There is none; pages are fetched on demand. */
        OFF,
        /** The copy of an earlier run is being verified. */
        VERIFYING,
        /** The database is being fetched. */
        FETCHING,
        /** The database is local. */
        DONE,
        /** The last attempt failed; another one follows. */
        FAILED
    }

    public ReadReplicaStatus {
        requireNonNull(name, "name");
        requireNonNull(replica, "replica");
        requireNonNull(txid, "txid");
        requireNonNull(timestamp, "timestamp");
        requireNonNull(lag, "lag");
        requireNonNull(hydration, "hydration");
    }

    /** Returns the part of the pages that was read from the cache, from 0 to 1; 0 before the first page. */
    public double cacheHitRatio() {
        long pages = cacheHits + cacheMisses;
        return pages == 0 ? 0 : (double) cacheHits / pages;
    }
}
