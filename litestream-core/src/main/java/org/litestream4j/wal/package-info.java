/**
 * SQLite's write-ahead log: {@link org.litestream4j.wal.WalFile} finds the committed frames behind a
 * {@link org.litestream4j.wal.WalPosition} and the newest frame of each page among them. Layout and checksums: sqlite.org,
 * "WAL-mode File Format".
 */
@NullMarked
package org.litestream4j.wal;

import org.jspecify.annotations.NullMarked;
