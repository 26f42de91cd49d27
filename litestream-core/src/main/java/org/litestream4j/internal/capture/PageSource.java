package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalPageMap;

/**
 * Reads pages of a database from the WAL, or from the database file if the WAL does not contain them. Reads ahead in
 * the file, so request pages in ascending order. Valid while a read transaction is held. Not thread-safe.
 */
final class PageSource {

    private static final int READ_AHEAD = 1 << 20;

    private final DatabaseFile file;
    private final @Nullable WalFile wal;
    private final WalPageMap walPages;
    private final long copied;
    private final int pageSize;
    private final ByteBuffer ahead;
    private long aheadStart;

    /**
     * Creates a source; opens no file.
     *
     * @param wal null if there is none
     * @param copied number of frames that are in the database file; their pages are read from there, as SQLite does
     */
    PageSource(DatabaseFile file, @Nullable WalFile wal, WalPageMap walPages, long copied, int pageSize) {
        this(file, wal, walPages, copied, pageSize, READ_AHEAD);
    }

    /** Creates a source for single pages, which does not read ahead. */
    static PageSource single(DatabaseFile file, WalFile wal, WalPageMap walPages, int pageSize) {
        return new PageSource(file, wal, walPages, 0, pageSize, 0);
    }

    private PageSource(
            DatabaseFile file, @Nullable WalFile wal, WalPageMap walPages, long copied, int pageSize, int readAhead) {
        this.file = file;
        this.wal = wal;
        this.walPages = walPages;
        this.copied = copied;
        this.pageSize = pageSize;
        this.ahead = ByteBuffer.allocate(Math.max(readAhead, pageSize)).limit(0);
    }

    /**
     * Reads a page.
     *
     * @param page buffer, which is filled completely; with zeros if neither WAL nor file contain the page, as SQLite
     *     does
     */
    void read(long pgno, byte[] page) throws IOException {
        int frame = walPages.frame(pgno);
        if (frame >= copied && frame >= 0 && wal != null) {
            wal.readPage(frame, page);
            return;
        }
        long offset = (pgno - 1) * pageSize;
        if (offset < aheadStart || offset + pageSize > aheadStart + ahead.limit()) {
            aheadStart = offset;
            ahead.clear();
            file.read(ahead, offset);
            ahead.flip();
        }
        int at = (int) (offset - aheadStart);
        int available = Math.max(0, Math.min(pageSize, ahead.limit() - at));
        ahead.get(at, page, 0, available);
        Arrays.fill(page, available, pageSize, (byte) 0);
    }
}
