package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Reads an LTX file from its first to its last byte and verifies all of it. Pages are safe to use only after
 * {@link #next} has returned false. Not thread-safe.
 *
 * <pre>{@code
 * while (reader.next()) {
 *     use(reader.pgno(), reader.page());
 * }
 * reader.trailer();
 * }</pre>
 */
public final class LtxReader implements Closeable {

    private static final int READ_SIZE = 1 << 15;

    private enum State {
        PAGES,
        VERIFIED,
        FAILED
    }

    private final InputStream in;
    private final String source;
    private final LtxHeader header;
    private final LtxPageDecoder decoder;
    private final PageIndexBytes index = new PageIndexBytes();

    private final byte[] buffer;
    private int position;
    private int limit;
    private long bufferOffset;

    private State state = State.PAGES;
    private long lastPgno;
    private long xorOfPages;
    private int frameAt;
    private int frameSize;
    private LtxTrailer trailer = new LtxTrailer(0, 0);

    private LtxReader(InputStream in, String source, LtxHeader header, byte[] headerBytes) {
        this.in = in;
        this.source = source;
        this.header = header;
        decoder = new LtxPageDecoder(header, source);
        decoder.checksum().update(headerBytes, 0, LtxHeader.SIZE);
        buffer = new byte[Math.max(READ_SIZE, PageFrame.bound(header.pageSize()))];
        bufferOffset = LtxHeader.SIZE;
    }

    /**
     * Reads and checks the header.
     *
     * @param in content of the file; {@link #close} closes it, and so does this method if it fails
     * @param source path or object key of the file, for messages
     * @throws LtxFormatException if the content is not an LTX file
     */
    public static LtxReader open(InputStream in, String source) throws IOException {
        requireNonNull(in, "in");
        requireNonNull(source, "source");
        try {
            byte[] bytes = in.readNBytes(LtxHeader.SIZE);
            return new LtxReader(in, source, LtxHeader.parse(bytes, source), bytes);
        } catch (IOException | RuntimeException e) {
            closeAfter(e, in);
            throw e;
        }
    }

    /**
     * Reads the header as {@link #open(InputStream, String)} does, and checks that it has the TXIDs of the file's name.
     *
     * @param expected name of the file
     */
    public static LtxReader open(InputStream in, String source, LtxFileName expected) throws IOException {
        requireNonNull(expected, "expected");
        LtxReader reader = open(in, source);
        LtxFileName actual = reader.header.fileName();
        if (!actual.equals(expected)) {
            LtxFormatException e = new LtxFormatException(
                    source,
                    LtxHeaderCodec.MIN_TXID_OFFSET,
                    "file name",
                    "the header has TXIDs " + actual.min() + " to " + actual.max() + ", the name says " + expected);
            closeAfter(e, in);
            throw e;
        }
        return reader;
    }

    public LtxHeader header() {
        return header;
    }

    /** Returns the path or object key of the file. */
    public String source() {
        return source;
    }

    /**
     * Moves to the next page.
     *
     * @return false after the last page, when page index, trailer, checksums and the end of the input are verified
     * @throws LtxFormatException if the file is damaged; the reader cannot be used afterwards
     */
    public boolean next() throws IOException {
        if (state == State.VERIFIED) {
            return false;
        }
        if (state == State.FAILED) {
            throw new IllegalStateException("reading " + source + " has failed before");
        }
        state = State.FAILED; // until this step has succeeded
        require(PageFrame.HEADER_SIZE, "page block");
        long pgno = BigEndian.unsignedInt(buffer, position);
        int flags = BigEndian.unsignedShort(buffer, position + Integer.BYTES);
        if (pgno == 0) {
            verifyEnd(flags);
            state = State.VERIFIED;
            return false;
        }
        readFrame(pgno, flags);
        state = State.PAGES;
        return true;
    }

    /** Returns the number of the current page, counted from 1. */
    public long pgno() {
        return lastPgno;
    }

    /** Returns the current page: page-size bytes, always the same array, overwritten by {@link #next}. */
    public byte[] page() {
        return decoder.page();
    }

    /**
     * Returns the trailer.
     *
     * @throws IllegalStateException before {@link #next} has returned false
     */
    public LtxTrailer trailer() {
        if (state != State.VERIFIED) {
            throw new IllegalStateException("the trailer of " + source + " is not read yet");
        }
        return trailer;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** Returns the buffer with the encoded bytes of the current frame, valid until {@link #next}. */
    byte[] frameBytes() {
        return buffer;
    }

    int frameAt() {
        return frameAt;
    }

    int frameSize() {
        return frameSize;
    }

    PageEncoding frameEncoding() {
        return BigEndian.unsignedShort(buffer, frameAt + Integer.BYTES) == PageFrame.BLOCK_FLAG
                ? PageEncoding.BLOCK
                : PageEncoding.FRAME;
    }

    private void readFrame(long pgno, int flags) throws IOException {
        long fileOffset = offset();
        PageFrame.checkPgno(pgno, header, source, fileOffset);
        decoder.checkFlags(flags, fileOffset);
        checkOrder(pgno, fileOffset);
        int size = flags == PageFrame.BLOCK_FLAG ? fetchBlock(fileOffset) : fetchLz4Frame(fileOffset);
        decoder.decode(buffer, position, size, fileOffset);
        index.add(pgno, fileOffset, size);
        if (header.isSnapshot() && header.hasDatabaseChecksums()) {
            xorOfPages ^= LtxChecksum.page(pgno, decoder.page());
        }
        lastPgno = pgno;
        frameAt = position;
        frameSize = size;
        position += size;
    }

    private void checkOrder(long pgno, long fileOffset) throws LtxFormatException {
        if (pgno <= lastPgno) {
            throw new LtxFormatException(source, fileOffset, "pgno order", pgno + " comes after " + lastPgno);
        }
        if (header.isSnapshot() && pgno != header.pageAfter(lastPgno)) {
            throw new LtxFormatException(
                    source,
                    fileOffset,
                    "snapshot gap",
                    "page " + header.pageAfter(lastPgno) + " is missing before " + pgno);
        }
    }

    /** Fetches a whole block into the buffer and returns the size of the page frame. */
    private int fetchBlock(long fileOffset) throws IOException {
        require(PageFrame.BLOCK_HEADER_SIZE, "page frame");
        int blockSize = BigEndian.getInt(buffer, position + PageFrame.HEADER_SIZE);
        decoder.checkBlockSize(blockSize, fileOffset);
        int size = PageFrame.BLOCK_HEADER_SIZE + blockSize;
        require(size, "page data");
        return size;
    }

    /** Fetches a whole LZ4 frame into the buffer and returns the size of the page frame. */
    private int fetchLz4Frame(long fileOffset) throws IOException {
        int bound = PageFrame.HEADER_SIZE + Lz4Frame.bound(header.pageSize());
        int size = PageFrame.HEADER_SIZE + Lz4Frame.HEADER_SIZE;
        require(size, "page data");
        if (!Lz4Frame.isHeader(buffer, position + PageFrame.HEADER_SIZE)) {
            throw decoder.badFrame(fileOffset);
        }
        while (true) {
            require(size + Integer.BYTES, "page data");
            if (Lz4Frame.isEndMark(buffer, position + size)) {
                break;
            }
            int blockSize = Lz4Frame.blockSize(buffer, position + size);
            if (blockSize > bound - size - Integer.BYTES - Lz4Frame.END_SIZE) {
                throw new LtxFormatException(
                        source,
                        fileOffset + size,
                        "compressed size",
                        blockSize + ", the LZ4 frame of a page has at most " + bound + " bytes");
            }
            size += Integer.BYTES + blockSize;
        }
        size += Lz4Frame.END_SIZE;
        require(size, "page data");
        return size;
    }

    private void verifyEnd(int flags) throws IOException {
        if (flags != 0) {
            throw new LtxFormatException(source, offset(), "end marker", "page number 0 with flags " + flags);
        }
        if (header.isSnapshot() && header.pageAfter(lastPgno) <= header.commit()) {
            throw new LtxFormatException(
                    source,
                    offset(),
                    "snapshot gap",
                    "pages " + header.pageAfter(lastPgno) + " to " + header.commit() + " are missing");
        }
        LtxChecksum checksum = decoder.checksum();
        checksum.update(buffer, position, PageFrame.HEADER_SIZE);
        position += PageFrame.HEADER_SIZE;
        verifyIndex(checksum);
        verifyTrailer(checksum);
        if (position < limit || in.read() >= 0) {
            throw new LtxFormatException(source, offset(), "end", "there are bytes after the trailer");
        }
    }

    private void verifyIndex(LtxChecksum checksum) throws IOException {
        index.end();
        index.forEach((bytes, length) -> {
            for (int compared = 0; compared < length; ) {
                require(1, "page index");
                int count = Math.min(length - compared, limit - position);
                int same = Arrays.mismatch(buffer, position, position + count, bytes, compared, compared + count);
                if (same >= 0) {
                    throw new LtxFormatException(source, offset() + same, "page index", "it differs from the frames");
                }
                position += count;
                compared += count;
            }
            checksum.update(bytes, 0, length);
        });
        require(PageIndexBytes.SIZE_FIELD, "page index");
        long size = BigEndian.getLong(buffer, position);
        if (size != index.size()) {
            throw new LtxFormatException(
                    source, offset(), "page index size", size + ", but the index has " + index.size() + " bytes");
        }
        checksum.updateLong(size);
        position += PageIndexBytes.SIZE_FIELD;
    }

    private void verifyTrailer(LtxChecksum checksum) throws IOException {
        require(LtxTrailer.SIZE, "trailer");
        long postApply = BigEndian.getLong(buffer, position);
        long stored = BigEndian.getLong(buffer, position + Long.BYTES);
        checksum.updateLong(postApply);
        if (stored != checksum.stored()) {
            throw new LtxFormatException(
                    source,
                    offset() + Long.BYTES,
                    "file checksum",
                    hex(stored) + ", but the content has " + hex(checksum.stored()));
        }
        if (header.hasDatabaseChecksums() ? postApply >= 0 : postApply != 0) {
            throw new LtxFormatException(
                    source,
                    offset(),
                    "post-apply checksum",
                    hex(postApply)
                            + (header.hasDatabaseChecksums()
                                    ? ", must have its top bit set"
                                    : ", must be 0 in a file without checksums"));
        }
        if (header.isSnapshot() && header.hasDatabaseChecksums() && postApply != LtxChecksum.database(xorOfPages)) {
            throw new LtxFormatException(
                    source,
                    offset(),
                    "database checksum",
                    hex(postApply) + ", but the pages have " + hex(LtxChecksum.database(xorOfPages)));
        }
        trailer = new LtxTrailer(postApply, stored);
        position += LtxTrailer.SIZE;
    }

    private long offset() {
        return bufferOffset + position;
    }

    /** Makes {@code count} bytes available from the position on; they must fit into the buffer. */
    private void require(int count, String section) throws IOException {
        if (limit - position >= count) {
            return;
        }
        System.arraycopy(buffer, position, buffer, 0, limit - position);
        bufferOffset += position;
        limit -= position;
        position = 0;
        while (limit < count) {
            int read = in.read(buffer, limit, buffer.length - limit);
            if (read < 0) {
                throw new LtxFormatException(source, offset() + limit, "length", "the file ends inside its " + section);
            }
            limit += read;
        }
    }

    private static String hex(long value) {
        return HexFormat.of().toHexDigits(value);
    }

    private static void closeAfter(Throwable failure, InputStream in) {
        try {
            in.close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }
}
