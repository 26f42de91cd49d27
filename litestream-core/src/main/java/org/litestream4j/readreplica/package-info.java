/**
 * Read replicas: {@link org.litestream4j.readreplica.ReadReplica} queries a replica without a restore, its newest state or
 * any retained moment.
 */
@NullMarked
package org.litestream4j.readreplica;

import org.jspecify.annotations.NullMarked;
