package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Writes an LTX file: the pages in ascending order, then {@link #finish}. An unfinished file is incomplete, and readers
 * reject it. Not thread-safe.
 */
public final class LtxWriter implements Closeable {

    private static final int WRITE_SIZE = 1 << 16;

    private enum State {
        PAGES,
        FINISHED,
        FAILED,
        CLOSED
    }

    private final OutputStream out;
    private final LtxHeader header;
    private final PageEncoding encoding;
    private final long lockPgno;
    private final int frameBound;
    private final LtxChecksum checksum = new LtxChecksum();
    private final LtxChecksum pageChecksum = new LtxChecksum();
    private final LtxChecksumShift shift;
    private final PageIndexBytes index = new PageIndexBytes();

    private final byte[] buffer;
    private int position;
    private long flushed;

    private State state = State.PAGES;
    private long lastPgno;
    private long xorOfPages;

    private LtxWriter(OutputStream out, LtxHeader header, PageEncoding encoding) {
        this.out = requireNonNull(out, "out");
        this.header = requireNonNull(header, "header");
        this.encoding = requireNonNull(encoding, "encoding");
        lockPgno = LockPage.pgno(header.pageSize());
        frameBound = PageFrame.bound(header.pageSize());
        shift = LtxChecksumShift.ofPage(header.pageSize());
        buffer = new byte[WRITE_SIZE + frameBound];
        byte[] bytes = LtxHeaderCodec.encode(header);
        checksum.update(bytes, 0, bytes.length);
        System.arraycopy(bytes, 0, buffer, 0, bytes.length);
        position = bytes.length;
    }

    /**
     * Starts a file.
     *
     * @param out output, written in portions of about 64 KiB; closed by the caller
     * @param encoding encoding of the pages
     */
    public static LtxWriter open(OutputStream out, LtxHeader header, PageEncoding encoding) throws IOException {
        return new LtxWriter(out, header, encoding);
    }

    /**
     * Adds a page.
     *
     * @param pgno page number, greater than the previous one; in a snapshot, exactly the next one, without the lock
     *     page
     * @param page page-size bytes; the array is not kept
     * @throws IllegalArgumentException if the page is not allowed here
     */
    public void writePage(long pgno, byte[] page) throws IOException {
        startPage(pgno, page);
        int at = position;
        int dataSize;
        if (encoding == PageEncoding.BLOCK) {
            dataSize = Lz4Block.compress(page, buffer, at + PageFrame.BLOCK_HEADER_SIZE);
            BigEndian.putShort(buffer, at + Integer.BYTES, PageFrame.BLOCK_FLAG);
            BigEndian.putInt(buffer, at + PageFrame.HEADER_SIZE, dataSize);
            dataSize += Integer.BYTES;
        } else {
            dataSize = Lz4Frame.compress(page, buffer, at + PageFrame.HEADER_SIZE);
            BigEndian.putShort(buffer, at + Integer.BYTES, 0);
        }
        BigEndian.putInt(buffer, at, (int) pgno);
        endPage(pgno, page, PageFrame.HEADER_SIZE + dataSize);
    }

    /**
     * Returns the checksum of the page that was added last, as {@link LtxChecksum#page} would compute it, without
     * computing it again.
     */
    public long pageChecksum() {
        return LtxChecksum.page(lastPgno, pageChecksum, shift);
    }

    /** Adds a page whose frame exists in another file: {@code frame[offset, offset + size)} decodes to the page. */
    void copyPage(long pgno, byte[] page, byte[] frame, int offset, int size) throws IOException {
        startPage(pgno, page);
        System.arraycopy(frame, offset, buffer, position, size);
        endPage(pgno, page, size);
    }

    /**
     * Writes the page index and the trailer, and flushes the output without closing it.
     *
     * @param postApplyChecksum checksum of the database after applying the file; 0 if the header says that there
     *     are no checksums
     * @throws IllegalStateException if this is a snapshot and pages are missing
     * @throws IllegalArgumentException if the checksum does not match the header or, in a snapshot, the pages
     */
    public LtxTrailer finish(long postApplyChecksum) throws IOException {
        checkState();
        checkPostApply(postApplyChecksum);
        if (header.isSnapshot() && header.pageAfter(lastPgno) <= header.commit()) {
            throw new IllegalStateException("snapshot " + header.fileName() + " ends at page " + lastPgno + ", pages "
                    + header.pageAfter(lastPgno) + " to " + header.commit() + " are missing");
        }
        state = State.FAILED; // until everything is written
        byte[] endMarker = new byte[PageFrame.HEADER_SIZE];
        putChecked(endMarker, endMarker.length);
        index.end();
        index.forEach(this::putChecked);
        byte[] end = new byte[PageIndexBytes.SIZE_FIELD + LtxTrailer.SIZE];
        BigEndian.putLong(end, 0, index.size());
        BigEndian.putLong(end, PageIndexBytes.SIZE_FIELD, postApplyChecksum);
        checksum.update(end, 0, end.length - Long.BYTES);
        BigEndian.putLong(end, end.length - Long.BYTES, checksum.stored());
        put(end, end.length);
        flushBuffer();
        out.flush();
        state = State.FINISHED;
        return new LtxTrailer(postApplyChecksum, checksum.stored());
    }

    /** Returns the number of bytes written so far; after {@link #finish}, the size of the file. */
    public long size() {
        return flushed + position;
    }

    /** Releases the writer, without finishing the file and without closing the output. */
    @Override
    public void close() {
        state = State.CLOSED;
    }

    private void startPage(long pgno, byte[] page) throws IOException {
        checkState();
        if (pgno < 1 || pgno > header.commit() || pgno == lockPgno || pgno <= lastPgno) {
            throw new IllegalArgumentException("page " + pgno + " after page " + lastPgno
                    + " in a file of a database of " + header.commit() + " pages (lock page " + lockPgno + ")");
        }
        if (header.isSnapshot() && pgno != header.pageAfter(lastPgno)) {
            throw new IllegalArgumentException("page " + pgno + " after page " + lastPgno + " in a snapshot, page "
                    + header.pageAfter(lastPgno) + " is missing");
        }
        if (page.length != header.pageSize()) {
            throw new IllegalArgumentException(
                    "page " + pgno + " has " + page.length + " bytes instead of " + header.pageSize());
        }
        state = State.FAILED; // until the page is written
        if (buffer.length - position < frameBound) {
            flushBuffer();
        }
    }

    private void endPage(long pgno, byte[] page, int frameSize) {
        boolean block = BigEndian.unsignedShort(buffer, position + Integer.BYTES) == PageFrame.BLOCK_FLAG;
        checksum.update(buffer, position, block ? PageFrame.BLOCK_HEADER_SIZE : PageFrame.HEADER_SIZE);
        pageChecksum.reset();
        pageChecksum.update(page, 0, page.length);
        checksum.append(pageChecksum, shift);
        index.add(pgno, size(), frameSize);
        if (header.isSnapshot() && header.hasDatabaseChecksums()) {
            xorOfPages ^= LtxChecksum.page(pgno, pageChecksum, shift);
        }
        position += frameSize;
        lastPgno = pgno;
        state = State.PAGES;
    }

    private void checkState() {
        if (state != State.PAGES) {
            throw new IllegalStateException(
                    "LTX writer of " + header.fileName() + " is " + state.name().toLowerCase(Locale.ROOT));
        }
    }

    private void checkPostApply(long postApplyChecksum) {
        if (!header.hasDatabaseChecksums()) {
            if (postApplyChecksum != 0) {
                throw badPostApply(postApplyChecksum, "0 in a file without database checksums");
            }
        } else if (postApplyChecksum >= 0) {
            throw badPostApply(postApplyChecksum, "a checksum with its top bit set");
        } else if (header.isSnapshot() && postApplyChecksum != LtxChecksum.database(xorOfPages)) {
            throw badPostApply(
                    postApplyChecksum,
                    HexFormat.of().toHexDigits(LtxChecksum.database(xorOfPages)) + ", the checksum of the pages");
        }
    }

    private static IllegalArgumentException badPostApply(long value, String rule) {
        return new IllegalArgumentException(
                "post-apply checksum " + HexFormat.of().toHexDigits(value) + ", must be " + rule);
    }

    private void putChecked(byte[] bytes, int length) throws IOException {
        checksum.update(bytes, 0, length);
        put(bytes, length);
    }

    private void put(byte[] bytes, int length) throws IOException {
        if (length > buffer.length - position) {
            flushBuffer();
        }
        if (length > buffer.length) {
            out.write(bytes, 0, length);
            flushed += length;
            return;
        }
        System.arraycopy(bytes, 0, buffer, position, length);
        position += length;
    }

    private void flushBuffer() throws IOException {
        out.write(buffer, 0, position);
        flushed += position;
        position = 0;
    }
}
