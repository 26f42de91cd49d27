/**
 * Uploads of local level-0 files to the replica, in order. {@link org.litestream4j.internal.replication.Replication}
 * manages the replicated position of one database.
 */
@NullMarked
package org.litestream4j.internal.replication;

import org.jspecify.annotations.NullMarked;
