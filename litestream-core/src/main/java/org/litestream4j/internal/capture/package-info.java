/**
 * Converts committed WAL content to level-0 files. Entry point: {@link org.litestream4j.internal.capture.Capture},
 * which follows one database. It holds the read transactions that prevent the loss of frames, runs the checkpoints, and
 * records its position for the next start.
 *
 * <p>It relies on two rules of SQLite. A reader with a mark above 0 limits checkpoints to the frames up to its mark,
 * and prevents a reset of the WAL. A reader that began when all frames were in the database file (mark 0) permits one
 * reset of the WAL, and prevents checkpoints from changing the database file. Therefore two read transactions in turn
 * see every frame without the write lock, if a capture runs between the start of the new one and the end of the old
 * one.
 */
@NullMarked
package org.litestream4j.internal.capture;

import org.jspecify.annotations.NullMarked;
