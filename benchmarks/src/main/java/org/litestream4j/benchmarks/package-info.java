/** JMH benchmarks and scenario programs; docs/performance.md has the commands and figures. */
@NullMarked
package org.litestream4j.benchmarks;

import org.jspecify.annotations.NullMarked;
