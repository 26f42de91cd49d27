package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;

import java.util.HexFormat;

/**
 * Positions of the page frames of an LTX file, read from the end of the file, for readers that fetch single pages or
 * parts. Takes twelve bytes per page. Immutable.
 */
public final class LtxPageIndex {

    /** Number of bytes at the end of a file that {@link #suffixSize} needs. */
    public static final int END_SIZE = PageIndexBytes.SIZE_FIELD + LtxTrailer.SIZE;

    private static final int MAX_VARINT = 10;

    private static final int MAX_ENTRY = 3 * MAX_VARINT;

    private final String source;
    private final int[] pgnos;
    /** Offset of each frame, followed by the offset of the end marker. */
    private final long[] offsets;

    private final LtxTrailer trailer;
    private final LtxChecksum endChecksum;

    private LtxPageIndex(String source, int[] pgnos, long[] offsets, LtxTrailer trailer, LtxChecksum endChecksum) {
        this.source = source;
        this.pgnos = pgnos;
        this.offsets = offsets;
        this.trailer = trailer;
        this.endChecksum = endChecksum;
    }

    /**
     * Returns the number of bytes at the end of the file that contain its page index and trailer.
     *
     * @param end the last bytes of the file, at least {@link #END_SIZE}
     * @param fileSize size of the file in bytes
     * @param header header of the file
     * @param source path or object key of the file, for messages
     * @throws LtxFormatException if the index does not fit into the file, or has more entries than there are pages
     */
    public static long suffixSize(byte[] end, long fileSize, LtxHeader header, String source)
            throws LtxFormatException {
        requireNonNull(source, "source");
        long room = fileSize - LtxHeader.SIZE - PageFrame.HEADER_SIZE - END_SIZE;
        if (room < 1) {
            throw new LtxFormatException(source, fileSize, "length", "too short for an LTX file");
        }
        if (end.length < END_SIZE || end.length > fileSize) {
            throw new IllegalArgumentException(end.length + " bytes from the end of a file of " + fileSize);
        }
        long most = Math.min(room, header.commit() * MAX_ENTRY + 1);
        long indexSize = BigEndian.getLong(end, end.length - END_SIZE);
        if (indexSize < 1 || indexSize > most) {
            throw new LtxFormatException(
                    source,
                    fileSize - END_SIZE,
                    "page index size",
                    Long.toUnsignedString(indexSize) + ", it can have " + most + " bytes at most");
        }
        return indexSize + END_SIZE;
    }

    /**
     * Reads the index.
     *
     * @param suffix the last bytes of the file, at least {@link #suffixSize}; preceding bytes are ignored
     * @param fileSize size of the file in bytes
     * @param header header of the file
     * @param source path or object key of the file, for messages
     * @throws LtxFormatException if the entries are not ordered frames of valid pages that fill the file
     * @throws IllegalArgumentException if there are too few bytes
     */
    public static LtxPageIndex parse(byte[] suffix, long fileSize, LtxHeader header, String source)
            throws LtxFormatException {
        long suffixSize = suffixSize(suffix, fileSize, header, source);
        if (suffix.length < suffixSize) {
            throw new IllegalArgumentException(suffix.length + " bytes, the page index needs " + suffixSize);
        }
        return new Parser(suffix, (int) suffixSize, fileSize, header, source).parse();
    }

    /** Returns the number of pages in the file. */
    public int size() {
        return pgnos.length;
    }

    /**
     * Returns the page number of an entry.
     *
     * @param entry index from 0, in the order of the file, which is the order of the page numbers
     */
    public long pgno(int entry) {
        return Integer.toUnsignedLong(pgnos[entry]);
    }

    /** Returns the offset of the page's frame in the file. */
    public long offset(int entry) {
        return offsets[entry];
    }

    /** Returns the size of the page's frame in bytes. */
    public int frameSize(int entry) {
        return (int) (offsets[entry + 1] - offsets[entry]);
    }

    /** Returns the entry of a page, or -1 if the file does not contain it. */
    public int find(long pgno) {
        int low = 0;
        int high = pgnos.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long at = pgno(middle);
            if (at == pgno) {
                return middle;
            }
            if (at < pgno) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -1;
    }

    /** Returns the trailer of the file; the file checksum is verified only by {@link #verify}. */
    public LtxTrailer trailer() {
        return trailer;
    }

    /**
     * Verifies the file checksum, for a reader that fetched the file in parts.
     *
     * @param headerAndFrames checksum of the header's {@link LtxHeader#SIZE} bytes and all frames, as returned by
     *     {@link LtxPageDecoder#checksum}; not changed
     * @throws LtxFormatException if the checksum does not match
     */
    public void verify(LtxChecksum headerAndFrames) throws LtxFormatException {
        verify(headerAndFrames.value());
    }

    /**
     * Verifies the file checksum, as {@link #verify(LtxChecksum)}.
     *
     * @param headerAndFrames {@link LtxChecksum#value} of the header's bytes and all frames
     * @throws LtxFormatException if the checksum does not match
     */
    public void verify(long headerAndFrames) throws LtxFormatException {
        long actual = LtxChecksum.combine(headerAndFrames, endChecksum.value(), endChecksum.length())
                | LtxChecksum.STORED_BIT;
        if (actual != trailer.fileChecksum()) {
            throw new LtxFormatException(
                    source,
                    offsets[pgnos.length],
                    "file checksum",
                    HexFormat.of().toHexDigits(trailer.fileChecksum()) + ", but the content has "
                            + HexFormat.of().toHexDigits(actual));
        }
    }

    private static final class Parser {
        private final byte[] bytes;
        private final int end;
        private final long fileSize;
        private final LtxHeader header;
        private final String source;
        private final int start;
        private int position;

        Parser(byte[] bytes, int suffixSize, long fileSize, LtxHeader header, String source) {
            this.bytes = bytes;
            this.end = bytes.length - END_SIZE;
            this.fileSize = fileSize;
            this.header = header;
            this.source = source;
            start = bytes.length - suffixSize;
            position = start;
        }

        LtxPageIndex parse() throws LtxFormatException {
            int[] pgnos = new int[count()];
            long[] offsets = new long[pgnos.length + 1];
            offsets[0] = LtxHeader.SIZE;
            int entries = 0;
            long previous = 0;
            for (long pgno = varint(); pgno != 0; pgno = varint()) {
                if (entries == pgnos.length) {
                    throw bad("an entry is cut short");
                }
                checkPgno(pgno, previous);
                offsets[entries + 1] = frameEnd(pgno, offsets[entries]);
                pgnos[entries++] = (int) pgno;
                previous = pgno;
            }
            if (entries != pgnos.length) {
                throw bad("the end mark is in the middle");
            }
            checkEnd(offsets[entries], previous);
            LtxTrailer trailer = new LtxTrailer(
                    BigEndian.getLong(bytes, end + PageIndexBytes.SIZE_FIELD),
                    BigEndian.getLong(bytes, bytes.length - Long.BYTES));
            return new LtxPageIndex(source, pgnos, offsets, trailer, endChecksum());
        }

        /** Returns the number of entries, given the number of varints: three in each entry and one at the end. */
        private int count() {
            int varints = 0;
            for (int i = start; i < end; i++) {
                if (bytes[i] >= 0) {
                    varints++;
                }
            }
            return varints / 3;
        }

        private void checkPgno(long pgno, long previous) throws LtxFormatException {
            PageFrame.checkPgno(pgno, header, source, fileOffset());
            if (pgno <= previous || (header.isSnapshot() && pgno != header.pageAfter(previous))) {
                throw bad("page " + pgno + " after page " + previous);
            }
        }

        private long frameEnd(long pgno, long expectedOffset) throws LtxFormatException {
            long offset = varint();
            long size = varint();
            if (offset != expectedOffset) {
                throw bad("page " + pgno + " at " + offset + ", the frame before ends at " + expectedOffset);
            }
            if (size < PageFrame.HEADER_SIZE || size > PageFrame.bound(header.pageSize())) {
                throw bad("page " + pgno + " has a frame of " + size + " bytes");
            }
            return offset + size;
        }

        private void checkEnd(long framesEnd, long lastPgno) throws LtxFormatException {
            if (position != end) {
                throw bad("entries after the last one");
            }
            long indexStart = fileSize - (bytes.length - start);
            if (framesEnd + PageFrame.HEADER_SIZE != indexStart) {
                throw bad("the frames end at " + framesEnd + ", the index starts at " + indexStart);
            }
            if (header.isSnapshot() && header.pageAfter(lastPgno) <= header.commit()) {
                throw bad("the snapshot ends at page " + lastPgno + " of " + header.commit());
            }
        }

        /** Returns the checksum of all bytes that follow the frames in the file checksum. */
        private LtxChecksum endChecksum() {
            LtxChecksum checksum = new LtxChecksum();
            checksum.update(new byte[PageFrame.HEADER_SIZE], 0, PageFrame.HEADER_SIZE);
            checksum.update(bytes, start, bytes.length - Long.BYTES - start);
            return checksum;
        }

        private long varint() throws LtxFormatException {
            long value = 0;
            for (int i = 0; i < MAX_VARINT; i++) {
                if (position == end) {
                    throw bad("cut short");
                }
                byte next = bytes[position++];
                value |= (next & 0x7FL) << (7 * i);
                if (next >= 0) {
                    if (next == 0 && i > 0) {
                        throw bad("a number is not in its shortest form");
                    }
                    return value;
                }
            }
            throw bad("a number has more than " + MAX_VARINT + " bytes");
        }

        private LtxFormatException bad(String detail) {
            return new LtxFormatException(source, fileOffset(), "page index", detail);
        }

        private long fileOffset() {
            return fileSize - bytes.length + position;
        }
    }
}
