package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;

/**
 * Decodes single page frames of one LTX file, for readers that fetch parts of it. Each thread needs its own instance.
 *
 * <p>Every decoded frame is also added to {@link #checksum()}. The checksums of all parts, joined in the order of the
 * file, are the input of {@link LtxPageIndex#verify}.
 */
public final class LtxPageDecoder {

    private final String source;
    private final LtxHeader header;
    private final int pageSize;
    private final int blockBound;
    private final byte[] page;
    private final LtxChecksum checksum = new LtxChecksum();
    private long pgno;

    /**
     * @param header header of the file
     * @param source path or object key of the file, for messages
     */
    public LtxPageDecoder(LtxHeader header, String source) {
        this.source = requireNonNull(source, "source");
        pageSize = header.pageSize();
        this.header = header;
        blockBound = Lz4Block.bound(pageSize);
        page = new byte[pageSize];
    }

    /**
     * Decodes the frame in {@code bytes[offset, offset + size)} into {@link #page()}.
     *
     * @param fileOffset offset of the frame in the file, for messages
     * @throws LtxFormatException if the range is not exactly one frame, or if the file cannot contain its page
     * @throws IndexOutOfBoundsException if the range is not inside {@code bytes}
     */
    public void decode(byte[] bytes, int offset, int size, long fileOffset) throws LtxFormatException {
        if (offset < 0 || size < 0 || size > bytes.length - offset) {
            throw new IndexOutOfBoundsException(offset + " + " + size + " of " + bytes.length);
        }
        if (size < PageFrame.HEADER_SIZE) {
            throw new LtxFormatException(source, fileOffset + size, "length", "the page frame is cut short");
        }
        long newPgno = BigEndian.unsignedInt(bytes, offset);
        PageFrame.checkPgno(newPgno, header, source, fileOffset);
        int flags = BigEndian.unsignedShort(bytes, offset + Integer.BYTES);
        checkFlags(flags, fileOffset);
        if (flags == PageFrame.BLOCK_FLAG) {
            decodeBlock(bytes, offset, size, fileOffset);
        } else {
            decodeFrame(bytes, offset, size, fileOffset);
        }
        int headerSize = flags == PageFrame.BLOCK_FLAG ? PageFrame.BLOCK_HEADER_SIZE : PageFrame.HEADER_SIZE;
        checksum.update(bytes, offset, headerSize);
        checksum.update(page, 0, pageSize);
        pgno = newPgno;
    }

    /** Returns the number of the page that was decoded last. */
    public long pgno() {
        return pgno;
    }

    /** Returns the page that was decoded last: page-size bytes, always the same array. */
    public byte[] page() {
        return page;
    }

    /** Returns the checksum of all frames decoded since its last {@link LtxChecksum#reset}, as included in the file checksum. */
    public LtxChecksum checksum() {
        return checksum;
    }

    private void decodeBlock(byte[] bytes, int offset, int size, long fileOffset) throws LtxFormatException {
        if (size < PageFrame.BLOCK_HEADER_SIZE) {
            throw new LtxFormatException(source, fileOffset + size, "length", "the page frame is cut short");
        }
        int blockSize = BigEndian.getInt(bytes, offset + PageFrame.HEADER_SIZE);
        checkBlockSize(blockSize, fileOffset);
        if (blockSize != size - PageFrame.BLOCK_HEADER_SIZE) {
            throw new LtxFormatException(
                    source,
                    fileOffset + PageFrame.HEADER_SIZE,
                    "compressed size",
                    blockSize + ", but the page index says " + (size - PageFrame.BLOCK_HEADER_SIZE));
        }
        int dataAt = offset + PageFrame.BLOCK_HEADER_SIZE;
        if (Lz4Block.decompress(bytes, dataAt, blockSize, page, 0) != pageSize) {
            throw new LtxFormatException(
                    source,
                    fileOffset + PageFrame.BLOCK_HEADER_SIZE,
                    "page data",
                    "no LZ4 block of " + pageSize + " bytes");
        }
    }

    private void decodeFrame(byte[] bytes, int offset, int size, long fileOffset) throws LtxFormatException {
        if (!Lz4Frame.decompress(bytes, offset + PageFrame.HEADER_SIZE, size - PageFrame.HEADER_SIZE, page)) {
            throw badFrame(fileOffset);
        }
    }

    void checkFlags(int flags, long fileOffset) throws LtxFormatException {
        if ((flags & ~PageFrame.BLOCK_FLAG) != 0) {
            throw new LtxFormatException(
                    source,
                    fileOffset + Integer.BYTES,
                    "page flags",
                    "0x" + Integer.toHexString(flags) + ", must be 0 or 1");
        }
    }

    void checkBlockSize(int blockSize, long fileOffset) throws LtxFormatException {
        if (blockSize < 0 || blockSize > blockBound) {
            throw new LtxFormatException(
                    source,
                    fileOffset + PageFrame.HEADER_SIZE,
                    "compressed size",
                    Integer.toUnsignedString(blockSize) + ", a page of " + pageSize + " bytes has at most "
                            + blockBound);
        }
    }

    LtxFormatException badFrame(long fileOffset) {
        return new LtxFormatException(
                source, fileOffset + PageFrame.HEADER_SIZE, "page data", "no LZ4 frame of " + pageSize + " bytes");
    }
}
