/**
 * What the library's errors have in common: the subject, the problem and the remedy. {@link
 * org.litestream4j.error.RemedyException} is the base class.
 */
@NullMarked
package org.litestream4j.error;

import org.jspecify.annotations.NullMarked;
