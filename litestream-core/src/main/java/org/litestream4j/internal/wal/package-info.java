/**
 * SQLite's write-ahead log. {@link org.litestream4j.internal.wal.WalFile} finds the committed frames after a
 * {@link org.litestream4j.internal.wal.WalPosition}, and the newest frame of each of their pages. Layout and checksums:
 * sqlite.org, "WAL-mode File Format".
 */
@NullMarked
package org.litestream4j.internal.wal;

import org.jspecify.annotations.NullMarked;
