/** The actuator endpoint {@code litestream}, health and info. Each is optional. */
@NullMarked
package org.litestream4j.spring.actuate;

import org.jspecify.annotations.NullMarked;
