package org.litestream4j.internal.wal;

import org.jspecify.annotations.Nullable;

/**
 * What a scan found: the committed transactions between two positions of one WAL.
 *
 * @param header of the WAL; null if there is no valid one
 * @param start where the scan began: where it was asked to, or the WAL's start if its salts are others
 * @param end behind the last commit frame found; equal to {@code start} if there was none
 * @param commit database size in pages after the last transaction; 0 if there was none
 * @param pages the newest committed frame of each page
 * @param more whether the scan ended because of its limit, so that more may follow
 */
public record WalScan(
        @Nullable WalHeader header, WalPosition start, WalPosition end, long commit, WalPageMap pages, boolean more) {

    /** Whether any transaction was found. */
    public boolean found() {
        return end.offset() > start.offset();
    }

    /** Frames between start and end. */
    public long frames() {
        return header == null ? 0 : (end.offset() - start.offset()) / header.frameSize();
    }
}
