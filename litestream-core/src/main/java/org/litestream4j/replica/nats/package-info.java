/**
 * Replicas in a NATS JetStream object store, see {@link org.litestream4j.replica.nats.NatsReplicaProvider}. An object
 * consists of chunk messages under a subject of its own and one message with its description. The object exists once
 * that message is stored. Requires the library {@code io.nats:jnats}.
 */
@NullMarked
package org.litestream4j.replica.nats;

import org.jspecify.annotations.NullMarked;
