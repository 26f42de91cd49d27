/** The actuator endpoint {@code litestream} and its health; each is optional. */
@NullMarked
package org.litestream4j.spring.actuate;

import org.jspecify.annotations.NullMarked;
