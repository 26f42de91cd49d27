/**
 * The public face: {@code Litestream} replicates the SQLite databases of an application and restores them. Wires the
 * packages below it; see {@code CONTRIBUTING.md} for the way of a page from commit to replica.
 */
@NullMarked
package org.litestream4j;

import org.jspecify.annotations.NullMarked;
