/** The actuator endpoint {@code litestream}, health and info; each is optional. */
@NullMarked
package org.litestream4j.spring.actuate;

import org.jspecify.annotations.NullMarked;
