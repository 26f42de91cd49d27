package org.litestream4j.internal.wal;

import org.jspecify.annotations.Nullable;

/**
 * Result of a scan: the committed transactions between two positions of one WAL.
 *
 * @param header header of the WAL; null if there is no valid one
 * @param start start of the scan: the requested position, or the start of the WAL if the salts differ
 * @param end position after the last commit frame found; equal to {@code start} if there was none
 * @param commit size of the database in pages after the last transaction; 0 if there was none
 * @param pages newest committed frame of each page
 * @param more whether the scan ended because of its limit, so that more transactions may follow
 */
public record WalScan(
        @Nullable WalHeader header, WalPosition start, WalPosition end, long commit, WalPageMap pages, boolean more) {

    /** Returns whether any transaction was found. */
    public boolean found() {
        return end.offset() > start.offset();
    }

    /** Returns the number of frames between start and end. */
    public long frames() {
        return header == null ? 0 : (end.offset() - start.offset()) / header.frameSize();
    }
}
