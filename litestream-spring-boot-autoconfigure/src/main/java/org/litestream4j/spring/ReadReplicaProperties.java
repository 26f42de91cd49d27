package org.litestream4j.spring;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.NestedConfigurationProperty;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * A {@code DataSource} that reads a replica without a restore: {@code litestream.read-replicas.<name>.*}.
 *
 * @param url URL of the replica, for example "s3://bucket/path".
 * @param replica Access to the replica. Settings that are absent have the values of litestream.replica.
 * @param asOf Moment whose state is read, in ISO 8601. Without it, the newest state is read, which follows the primary.
 * @param pollInterval Time between two listings of the replica for new transactions.
 * @param maxStaleness Largest lag with which the newest state can be read; queries fail beyond it. No limit by default.
 * @param readTimeout How long a query waits for the replica during an outage.
 * @param cacheSize Size of the cache for pages. By default a quarter of the heap, at most 64 MB.
 * @param readAhead Largest amount that is fetched ahead of a scan. By default a quarter of the cache.
 * @param maximumPoolSize Maximum number of connections.
 * @param hydration Whether and where the whole database becomes local.
 */
public record ReadReplicaProperties(
        @Nullable String url,
        @NestedConfigurationProperty @Nullable ReplicaProperties replica,
        @Nullable Instant asOf,
        @DefaultValue("1s") Duration pollInterval,
        @Nullable Duration maxStaleness,
        @DefaultValue("10s") Duration readTimeout,
        @Nullable DataSize cacheSize,
        @Nullable DataSize readAhead,
        @DefaultValue("10") int maximumPoolSize,
        @DefaultValue Hydration hydration) {

    /**
     * The local copy of a database that is read from its replica.
     *
     * @param enabled Whether the whole database is fetched in the background.
     * @param path Folder for the local copy and for page indexes, which make the next start faster. By default, the copy is in
     *     the folder for temporary files, and there are no indexes.
     */
    public record Hydration(@DefaultValue("false") boolean enabled, @Nullable String path) {}
}
