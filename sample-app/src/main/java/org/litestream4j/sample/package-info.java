/** A notes service whose database is replicated: how an application uses the starter. */
@NullMarked
package org.litestream4j.sample;

import org.jspecify.annotations.NullMarked;
