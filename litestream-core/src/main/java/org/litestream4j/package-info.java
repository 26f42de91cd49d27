/**
 * The public API. {@link org.litestream4j.Litestream} replicates the SQLite databases of an application and restores
 * them. The implementation is in {@code internal.engine}. {@code docs/how-it-works.md} describes the path of a page
 * from a commit to the bucket.
 */
@NullMarked
package org.litestream4j;

import org.jspecify.annotations.NullMarked;
