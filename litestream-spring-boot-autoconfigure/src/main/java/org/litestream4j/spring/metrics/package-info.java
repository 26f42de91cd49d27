/** The metrics {@code litestream.*}; optional. */
@NullMarked
package org.litestream4j.spring.metrics;

import org.jspecify.annotations.NullMarked;
