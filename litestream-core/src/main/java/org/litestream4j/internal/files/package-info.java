/**
 * Files as SQLite sees them. Entry point: {@link org.litestream4j.internal.files.SqlitePaths}, which resolves the file
 * of a path and names its side files.
 */
@NullMarked
package org.litestream4j.internal.files;

import org.jspecify.annotations.NullMarked;
