/**
 * Restore drills: proof that a replica can be restored, and how long that takes.
 * {@link org.litestream4j.drill.RestoreDrill} restores from the replica alone, checks what it restored, deletes it, and
 * returns a {@link org.litestream4j.drill.DrillReport}.
 */
@NullMarked
package org.litestream4j.drill;

import org.jspecify.annotations.NullMarked;
