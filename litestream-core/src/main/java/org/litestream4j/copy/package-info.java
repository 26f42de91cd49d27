/**
 * Copies a replica to another store. {@link org.litestream4j.copy.ReplicaCopy} copies the files that the target lacks, in
 * an order in which the target can be restored at any moment.
 */
@NullMarked
package org.litestream4j.copy;

import org.jspecify.annotations.NullMarked;
