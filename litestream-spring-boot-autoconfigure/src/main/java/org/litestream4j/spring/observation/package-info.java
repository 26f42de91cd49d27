/** Micrometer Observations: {@link org.litestream4j.spring.observation.LitestreamObservations}. */
@NullMarked
package org.litestream4j.spring.observation;

import org.jspecify.annotations.NullMarked;
