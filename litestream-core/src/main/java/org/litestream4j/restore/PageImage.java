package org.litestream4j.restore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.replica.StopSignal;

/**
 * Database file assembled from the pages of many files, in any order; of each page, the version of the newest file
 * remains. Several threads may write concurrently, each with its own {@link Writer}. Uses twelve bytes of memory per
 * page.
 */
final class PageImage {

    /** Size of a block in bytes. Pages are written in runs within a block; a block has one writer at a time. */
    private static final int BLOCK_SIZE = 256 * 1024;

    private static final int LOCKS = 64;

    private static final long REPORT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final FileChannel channel;
    private final int pageSize;
    private final int commit;
    private final int pagesPerBlock;
    private final RestoreCounters counters;

    /**
     * The source file of each page in place, indexed by page number minus one; files are numbered from 1, 0 means that
     * the page has not been written yet.
     */
    private final int[] owners;

    /** The checksum of each page in place, indexed by page number minus one. */
    private final long[] checksums;

    private final Object[] locks = new Object[LOCKS];

    /**
     * @param channel channel of the new file, written at absolute positions
     * @param commit size of the database in pages
     * @throws IllegalArgumentException if the database has more pages than an array can hold
     */
    PageImage(FileChannel channel, int pageSize, long commit, RestoreCounters counters) {
        if (commit > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a database of " + commit + " pages is too large to be restored");
        }
        this.channel = channel;
        this.pageSize = pageSize;
        this.commit = (int) commit;
        this.counters = counters;
        pagesPerBlock = BLOCK_SIZE / pageSize;
        owners = new int[this.commit];
        checksums = new long[this.commit];
        for (int i = 0; i < LOCKS; i++) {
            locks[i] = new Object();
        }
    }

    int pageSize() {
        return pageSize;
    }

    long commit() {
        return commit;
    }

    Writer writer() {
        return new Writer();
    }

    private boolean isLockPage(long pgno) {
        return pgno == LockPage.pgno(pageSize);
    }

    /** Writes consecutive pages of one block, except those of which a newer version is in place. */
    private void write(int firstIndex, int count, byte[] pages, int file) throws IOException {
        synchronized (locks[firstIndex / pagesPerBlock % LOCKS]) {
            int added = 0;
            int at = 0;
            while (at < count) {
                int from = at;
                for (; at < count && owners[firstIndex + at] < file; at++) {
                    added += owners[firstIndex + at] == 0 ? 1 : 0;
                    owners[firstIndex + at] = file;
                    checksums[firstIndex + at] = checksum(firstIndex + at, pages, at * pageSize);
                }
                if (at == from) {
                    at++; // a newer version is in place
                } else {
                    ByteBuffer run = ByteBuffer.wrap(pages, from * pageSize, (at - from) * pageSize);
                    writeFully(run, (long) (firstIndex + from) * pageSize);
                }
            }
            counters.pagesInPlace.addAndGet(added);
        }
    }

    private void writeFully(ByteBuffer bytes, long position) throws IOException {
        long at = position;
        try {
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        } catch (IOException e) {
            throw new UnwritableException(e);
        }
    }

    /** Forces all written pages to the disk. */
    void force() throws UnwritableException {
        try {
            channel.force(true);
        } catch (IOException e) {
            throw new UnwritableException(e);
        }
    }

    /**
     * Returns the first page that no file contained, or 0 if all pages are in place. Call after all writers have
     * finished. The lock page is a hole of zeros.
     */
    long firstMissing() {
        for (int i = 0; i < commit; i++) {
            if (owners[i] == 0 && !isLockPage(i + 1L)) {
                return i + 1L;
            }
        }
        return 0;
    }

    /** Extends the file to its full length if its last page is the lock page. */
    void finish() throws IOException {
        if (commit > 0 && isLockPage(commit)) {
            writeFully(ByteBuffer.allocate(pageSize), (commit - 1L) * pageSize);
        }
    }

    /**
     * Reads the file back and compares each page with the page that was written: a disk may lose writes without an
     * error. Call after all pages are in place and forced.
     *
     * @param report called a few times a second; returns true to end the check with a
     *     {@link StopSignal.StoppedException}
     * @throws UnwritableException if a page differs; names the first such page
     */
    void verify(BooleanSupplier report) throws IOException {
        long expected = (long) commit * pageSize;
        if (channel.size() != expected) {
            throw new UnwritableException(new IOException(
                    "the disk kept " + channel.size() + " of " + expected + " bytes that were written"));
        }
        byte[] block = new byte[Math.max(BLOCK_SIZE, pageSize)];
        int pagesPerRead = block.length / pageSize;
        long reported = System.nanoTime();
        for (int first = 0; first < commit; first += pagesPerRead) {
            if (System.nanoTime() - reported > REPORT_NANOS) {
                reported = System.nanoTime();
                if (report.getAsBoolean()) {
                    throw new StopSignal.StoppedException();
                }
            }
            int count = Math.min(pagesPerRead, commit - first);
            ByteBuffer buffer = ByteBuffer.wrap(block, 0, count * pageSize);
            long start = (long) first * pageSize;
            while (buffer.hasRemaining() && channel.read(buffer, start + buffer.position()) >= 0) {
                // until the block is read
            }
            for (int i = 0; i < count; i++) {
                int index = first + i;
                if (buffer.hasRemaining()
                        || (!isLockPage(index + 1L) && checksum(index, block, i * pageSize) != checksums[index])) {
                    throw new UnwritableException(
                            new IOException("the disk did not keep page " + (index + 1) + " as it was written"));
                }
            }
        }
    }

    private long checksum(int index, byte[] bytes, int offset) {
        LtxChecksum checksum = new LtxChecksum();
        checksum.updateInt(index + 1);
        checksum.update(bytes, offset, pageSize);
        return checksum.stored();
    }

    /** Returns the database checksum of all pages as they were written. Call after all pages are in place. */
    long databaseChecksum() {
        long xor = 0;
        for (long checksum : checksums) {
            xor ^= checksum;
        }
        return LtxChecksum.database(xor);
    }

    /** Collects consecutive pages of one file. Not thread-safe. */
    final class Writer {

        private final byte[] pages = new byte[BLOCK_SIZE];
        private int firstIndex;
        private int count;
        private int file;

        /** Starts with the pages of another file. Call {@link #flush} first. */
        void begin(int newFile) {
            count = 0;
            file = newFile;
        }

        /** Adds a page, in the order of the file. Pages beyond the end of the database are dropped. */
        void add(long pgno, byte[] page) throws IOException {
            if (pgno > commit) {
                return;
            }
            int index = (int) (pgno - 1);
            if (count > 0 && (index != firstIndex + count || index % pagesPerBlock == 0)) {
                flush();
            }
            if (count == 0) {
                firstIndex = index;
            }
            System.arraycopy(page, 0, pages, count * pageSize, pageSize);
            count++;
        }

        void flush() throws IOException {
            if (count > 0) {
                write(firstIndex, count, pages, file);
                count = 0;
            }
        }
    }

    /** Thrown if the new file cannot be written. */
    static final class UnwritableException extends IOException {

        private static final long serialVersionUID = 1L;

        UnwritableException(IOException cause) {
            super(cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
        }
    }
}
