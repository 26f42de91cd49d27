package org.litestream4j.internal.capture;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;

/**
 * The checksum of each page of a database, and with them that of the database: 8 bytes a page. Any of them may be unknown. Not
 * thread-safe.
 */
final class PageChecksums {

    /** No page has this checksum. */
    static final long UNKNOWN = 0;

    /** Pages of which the checksums stand in one array. */
    private static final int CHUNK = 512;

    private static final int READ_SIZE = 1 << 20;

    private final int pageSize;
    private final long lockPage;
    private long[][] chunks = new long[0][];
    private long commit;
    private long known;
    private long xor;

    /**
     * All unknown.
     *
     * @param commit database size in pages
     */
    PageChecksums(int pageSize, long commit) {
        this.pageSize = pageSize;
        this.lockPage = LockPage.pgno(pageSize);
        resize(commit);
    }

    /**
     * Reads a database file that nobody has open.
     *
     * @param commit database size in pages; what the file lacks of them counts as zeros
     */
    static PageChecksums read(Path database, int pageSize, long commit) throws IOException {
        PageChecksums pages = new PageChecksums(pageSize, commit);
        byte[] page = new byte[pageSize];
        LtxChecksum crc = new LtxChecksum();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(database), READ_SIZE)) {
            for (long pgno = 1; pgno <= commit; pgno++) {
                int count = in.readNBytes(page, 0, pageSize);
                Arrays.fill(page, count, pageSize, (byte) 0);
                if (pgno != pages.lockPage) {
                    pages.put(pgno, checksum(crc, pgno, page, 0, pageSize));
                }
            }
        }
        return pages;
    }

    /** @param crc to compute with; its state does not matter */
    static long checksum(LtxChecksum crc, long pgno, byte[] bytes, int offset, int count) {
        crc.reset();
        crc.updateInt((int) pgno);
        crc.update(bytes, offset, count);
        return crc.stored();
    }

    int pageSize() {
        return pageSize;
    }

    /** Database size in pages. */
    long commit() {
        return commit;
    }

    /** Pages beyond the new size are forgotten; pages that are added are unknown. */
    void resize(long newCommit) {
        for (long pgno = newCommit + 1; pgno <= commit; pgno++) {
            put(pgno, UNKNOWN);
        }
        commit = newCommit;
        int before = chunks.length;
        int needed = Math.toIntExact((newCommit + CHUNK - 1) / CHUNK);
        if (needed != before) {
            chunks = Arrays.copyOf(chunks, needed);
            for (int i = before; i < needed; i++) {
                chunks[i] = new long[CHUNK];
            }
        }
    }

    long get(long pgno) {
        return chunks[chunk(pgno)][(int) ((pgno - 1) % CHUNK)];
    }

    /** @param checksum of the page, or {@link #UNKNOWN} */
    void put(long pgno, long checksum) {
        long[] chunk = chunks[chunk(pgno)];
        int at = (int) ((pgno - 1) % CHUNK);
        long before = chunk[at];
        chunk[at] = checksum;
        xor ^= before ^ checksum;
        known += (checksum != UNKNOWN ? 1 : 0) - (before != UNKNOWN ? 1 : 0);
    }

    private static int chunk(long pgno) {
        return (int) ((pgno - 1) / CHUNK);
    }

    /** The first page from a page number on whose checksum is needed and unknown; 0 if there is none. */
    long firstUnknown(long from) {
        for (long pgno = from; pgno <= commit; pgno++) {
            if (isUnknown(pgno)) {
                return pgno;
            }
        }
        return 0;
    }

    /** Whether a page's checksum is needed and unknown. */
    boolean isUnknown(long pgno) {
        return get(pgno) == UNKNOWN && pgno != lockPage;
    }

    boolean isComplete() {
        return known == commit - (commit >= lockPage ? 1 : 0);
    }

    /** The checksums of all known pages, combined. */
    long xor() {
        return xor;
    }

    /** The checksum of the database; empty as long as that of a page is unknown. */
    OptionalLong ofDatabase() {
        return isComplete() ? OptionalLong.of(LtxChecksum.database(xor)) : OptionalLong.empty();
    }
}
