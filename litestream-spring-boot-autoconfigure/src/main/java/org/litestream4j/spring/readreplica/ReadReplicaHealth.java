package org.litestream4j.spring.readreplica;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.readreplica.ReadReplicaStatus;
import org.litestream4j.spring.ReadReplicaProperties;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.CompositeHealthContributor;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.health.contributor.Status;

/**
 * Health of a read replica, without a request: {@code DOWN} beyond the largest staleness, {@code DEGRADED} if the replica
 * could not be listed last.
 */
final class ReadReplicaHealth extends AbstractHealthIndicator {

    private static final Status DEGRADED = new Status("DEGRADED", "the replica cannot be listed");

    private final ReadReplica replica;
    private final @Nullable Duration maxStaleness;

    private ReadReplicaHealth(ReadReplica replica, @Nullable Duration maxStaleness) {
        this.replica = replica;
        this.maxStaleness = maxStaleness;
    }

    static CompositeHealthContributor of(
            Map<String, ReadReplica> replicas, Map<String, ReadReplicaProperties> properties) {
        Map<String, HealthContributor> contributors = new TreeMap<>();
        replicas.forEach((name, replica) -> {
            ReadReplicaProperties own = properties.get(name);
            contributors.put(name, new ReadReplicaHealth(replica, own == null ? null : own.maxStaleness()));
        });
        return CompositeHealthContributor.fromMap(contributors);
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        ReadReplicaStatus status = replica.status();
        boolean stale = maxStaleness != null && status.lag().compareTo(maxStaleness) > 0;
        builder.status(stale ? Status.DOWN : status.problem() != null ? DEGRADED : Status.UP)
                .withDetail("replica", status.replica())
                .withDetail("txid", status.txid().toString())
                .withDetail("timestamp", status.timestamp().toString())
                .withDetail("lagSeconds", status.lag().toMillis() / 1000.0)
                .withDetail("hydration", status.hydration());
        if (status.problem() != null) {
            builder.withDetail("problem", status.problem());
        }
    }
}
