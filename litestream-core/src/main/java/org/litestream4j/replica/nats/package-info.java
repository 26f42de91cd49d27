/**
 * Replicas in a NATS JetStream object store: {@link org.litestream4j.replica.nats.NatsReplicaProvider}. An object is a
 * run of chunk messages under a subject of its own and one message that describes it; the object exists once that last
 * message is stored. Needs the library {@code io.nats:jnats}.
 */
@NullMarked
package org.litestream4j.replica.nats;

import org.jspecify.annotations.NullMarked;
