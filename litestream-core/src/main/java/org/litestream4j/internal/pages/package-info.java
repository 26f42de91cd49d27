/**
 * The pages of a replica, read without a restore. A {@link org.litestream4j.internal.pages.PageSource} knows the states
 * that a replica holds and fetches their pages on demand, through one cache; it knows nothing of SQLite.
 */
@NullMarked
package org.litestream4j.internal.pages;

import org.jspecify.annotations.NullMarked;
