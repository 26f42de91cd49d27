/**
 * From committed WAL content to level-0 files: {@link org.litestream4j.internal.capture.Capture} follows one database, holds the read
 * transactions that keep frames from being lost, runs the checkpoints, and remembers its position across restarts.
 *
 * <p>The rules behind it: a reader with a mark above 0 lets a checkpoint copy frames up to its mark at most and keeps the WAL
 * from being reset; a reader that began when everything was copied (mark 0) lets the next writer reset the WAL once, and
 * freezes the database file from then on. So two read transactions that take turns, with a capture between the beginning of
 * the new and the end of the old one, see every frame, without ever taking the write lock.
 */
@NullMarked
package org.litestream4j.internal.capture;

import org.jspecify.annotations.NullMarked;
