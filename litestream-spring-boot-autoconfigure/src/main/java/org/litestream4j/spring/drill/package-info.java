/** Restore drills of the replicated databases: their schedule, their last reports, and meters. */
@NullMarked
package org.litestream4j.spring.drill;

import org.jspecify.annotations.NullMarked;
