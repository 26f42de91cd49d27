/**
 * Restores a database from its replica. {@link org.litestream4j.restore.Restore} plans, reads and verifies, and moves
 * the file to its final place, as specified by {@link org.litestream4j.restore.RestoreOptions}.
 */
@NullMarked
package org.litestream4j.restore;

import org.jspecify.annotations.NullMarked;
