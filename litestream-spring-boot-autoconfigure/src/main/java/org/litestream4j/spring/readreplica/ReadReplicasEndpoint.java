package org.litestream4j.spring.readreplica;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.readreplica.ReadReplicaStatus;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;

/** Actuator endpoint with the read replicas. Reads only, and sends no request to a replica. */
@Endpoint(id = "litestreamreadreplicas")
public final class ReadReplicasEndpoint {

    private final Map<String, ReadReplica> replicas;

    /** @param replicas read replicas by the names of their entries */
    ReadReplicasEndpoint(Map<String, ReadReplica> replicas) {
        this.replicas = new TreeMap<>(replicas);
    }

    /** All read replicas, ordered by name. */
    public record ReadReplicas(List<Description> readReplicas) {}

    /**
     * One read replica.
     *
     * @param lagSeconds time since the replica was last known to contain no newer transaction
     * @param cacheHitRatio part of the pages that was read from the cache, from 0 to 1
     * @param hydrated part of the database that is local, from 0 to 1
     * @param problem why the replica could not be listed last; null if it could
     */
    public record Description(
            String name,
            String replica,
            String txid,
            String timestamp,
            double lagSeconds,
            double cacheHitRatio,
            long cacheBytes,
            long requests,
            long bytesRead,
            ReadReplicaStatus.Hydration hydration,
            double hydrated,
            @Nullable String problem,
            @Nullable String fallback) {

        static Description of(String name, ReadReplicaStatus status) {
            return new Description(
                    name,
                    status.replica(),
                    status.txid().toString(),
                    status.timestamp().toString(),
                    status.lag().toMillis() / 1000.0,
                    status.cacheHitRatio(),
                    status.cacheBytes(),
                    status.requests(),
                    status.bytesRead(),
                    status.hydration(),
                    status.hydrated(),
                    status.problem(),
                    status.fallback());
        }
    }

    /** Returns all read replicas. */
    @ReadOperation
    public ReadReplicas readReplicas() {
        return new ReadReplicas(replicas.entrySet().stream()
                .map(entry -> Description.of(entry.getKey(), entry.getValue().status()))
                .toList());
    }

    /** Returns one read replica; null, which is answered with 404, if there is none of that name. */
    @ReadOperation
    public @Nullable Description readReplica(@Selector String name) {
        ReadReplica replica = replicas.get(name);
        return replica == null ? null : Description.of(name, replica.status());
    }
}
