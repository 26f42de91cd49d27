/**
 * Brings a database back from its replica: {@link org.litestream4j.restore.Restore} plans, reads, verifies and puts the
 * file in place, as {@link org.litestream4j.restore.RestoreOptions} say.
 */
@NullMarked
package org.litestream4j.restore;

import org.jspecify.annotations.NullMarked;
