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
 * The checksum of each page of a database, in 8 bytes a page, and the database checksum derived from them. Page
 * checksums can be unknown. Not thread-safe.
 */
final class PageChecksums {

    /** Value for an unknown checksum; no page has this checksum. */
    static final long UNKNOWN = 0;

    /** Number of page checksums in one array. */
    private static final int CHUNK = 512;

    private static final int READ_SIZE = 1 << 20;

    private final int pageSize;
    private final long lockPage;
    private long[][] chunks = new long[0][];
    private long commit;
    private long known;
    private long xor;

    /**
     * Creates checksums that are all unknown.
     *
     * @param commit database size in pages
     */
    PageChecksums(int pageSize, long commit) {
        this.pageSize = pageSize;
        this.lockPage = LockPage.pgno(pageSize);
        resize(commit);
    }

    /**
     * Reads a database file that no connection has open.
     *
     * @param commit database size in pages; pages missing from the file count as zeros
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

    /** @param crc checksum to compute with; reset first */
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

    /** Changes the database size: forgets the checksums of removed pages; those of added pages are unknown. */
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

    /** Returns the first page from a page number on whose checksum is required but unknown; 0 if there is none. */
    long firstUnknown(long from) {
        for (long pgno = from; pgno <= commit; pgno++) {
            if (isUnknown(pgno)) {
                return pgno;
            }
        }
        return 0;
    }

    /** Returns whether the checksum of a page is required but unknown; the lock page requires none. */
    boolean isUnknown(long pgno) {
        return get(pgno) == UNKNOWN && pgno != lockPage;
    }

    boolean isComplete() {
        return known == commit - (commit >= lockPage ? 1 : 0);
    }

    /** Returns the XOR of all known page checksums. */
    long xor() {
        return xor;
    }

    /** Returns the database checksum; empty while a page checksum is unknown. */
    OptionalLong ofDatabase() {
        return isComplete() ? OptionalLong.of(LtxChecksum.database(xor)) : OptionalLong.empty();
    }
}
