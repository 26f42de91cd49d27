package org.litestream4j.replica.nats;

import java.util.Set;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.RequestListener;

/**
 * Replicas in a NATS JetStream object store: {@code nats://user:password@host:4222/bucket}, optionally with a path
 * after the bucket. Objects are named {@code [<path>/]ltx/<level>/<name>}. The settings are documented in
 * docs/replicas/nats.md.
 */
public final class NatsReplicaProvider implements ReplicaProvider {

    @Override
    public Set<String> schemes() {
        return Set.of("nats");
    }

    @Override
    public ReplicaClient create(ReplicaLocation location) {
        return create(location, RequestListener.NONE);
    }

    @Override
    public ReplicaClient create(ReplicaLocation location, RequestListener listener) {
        NatsSettings settings = NatsSettingsParser.parse(location);
        try {
            Class.forName("io.nats.client.Nats", false, NatsReplicaProvider.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalArgumentException(
                    settings.url() + ": the NATS library is missing; add the dependency io.nats:jnats", e);
        }
        return new NatsReplicaClient(settings, listener);
    }
}
