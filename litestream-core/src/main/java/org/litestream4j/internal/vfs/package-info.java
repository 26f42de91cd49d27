/**
 * A read-only VFS of SQLite in Java: {@link org.litestream4j.internal.vfs.ReplicaVfs} serves the pages of a
 * {@link org.litestream4j.internal.pages.PageSource} to the stock driver.
 */
@NullMarked
package org.litestream4j.internal.vfs;

import org.jspecify.annotations.NullMarked;
