/**
 * Files as SQLite sees them. Entry: {@link org.litestream4j.internal.files.SqlitePaths}, which file a path names and how the
 * files beside it are called.
 */
@NullMarked
package org.litestream4j.internal.files;

import org.jspecify.annotations.NullMarked;
