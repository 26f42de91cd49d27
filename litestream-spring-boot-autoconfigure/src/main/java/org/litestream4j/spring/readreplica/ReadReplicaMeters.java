package org.litestream4j.spring.readreplica;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import java.util.concurrent.TimeUnit;
import org.litestream4j.readreplica.ReadReplica;

/** Meters of one read replica, by the name of its entry. */
final class ReadReplicaMeters {

    private ReadReplicaMeters() {}

    static void register(MeterRegistry registry, String name, ReadReplica replica) {
        Tags tags = Tags.of("replica", name);
        Gauge.builder("litestream.read.replica.txid", replica, it -> it.status()
                        .txid()
                        .value())
                .description("Newest known transaction")
                .tags(tags)
                .register(registry);
        TimeGauge.builder("litestream.read.replica.lag", replica, TimeUnit.MILLISECONDS, it -> it.status()
                        .lag()
                        .toMillis())
                .description("Time since the replica was last known to contain no newer transaction")
                .tags(tags)
                .register(registry);
        pages(registry, replica, tags.and("result", "hit"), true);
        pages(registry, replica, tags.and("result", "miss"), false);
        FunctionCounter.builder("litestream.read.replica.requests", replica, it -> it.status()
                        .requests())
                .description("Requests sent to the replica")
                .tags(tags)
                .register(registry);
        FunctionCounter.builder("litestream.read.replica.read", replica, it -> it.status()
                        .bytesRead())
                .description("Bytes read from the replica")
                .baseUnit("bytes")
                .tags(tags)
                .register(registry);
        Gauge.builder("litestream.read.replica.cache.size", replica, it -> it.status()
                        .cacheBytes())
                .description("Size of the pages in the cache")
                .baseUnit("bytes")
                .tags(tags)
                .register(registry);
        Gauge.builder("litestream.read.replica.hydrated", replica, it -> it.status()
                        .hydrated())
                .description("Part of the database that is local, from 0 to 1")
                .tags(tags)
                .register(registry);
    }

    private static void pages(MeterRegistry registry, ReadReplica replica, Tags tags, boolean hits) {
        FunctionCounter.builder(
                        "litestream.read.replica.pages",
                        replica,
                        it -> hits ? it.status().cacheHits() : it.status().cacheMisses())
                .description("Pages read from the cache (hit) or fetched from the replica (miss)")
                .tags(tags)
                .register(registry);
    }
}
