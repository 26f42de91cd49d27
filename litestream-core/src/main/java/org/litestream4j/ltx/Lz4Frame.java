package org.litestream4j.ltx;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import net.jpountz.xxhash.XXHash32;
import net.jpountz.xxhash.XXHashFactory;

/**
 * The only form of LZ4 frames in LTX files: independent blocks of at most 64 KiB, without block checksums, with a
 * content checksum. Its header is constant: magic, FLG, BD and the header checksum, which is one byte of the xxHash32
 * of FLG and BD.
 */
final class Lz4Frame {

    static final int HEADER_SIZE = 7;
    static final int END_SIZE = 8;
    /** Bit in the size of a data block that is stored without compression. */
    private static final int STORED = 1 << 31;

    private static final byte[] HEADER = {0x04, 0x22, 0x4D, 0x18, 0x64, 0x40, (byte) 0xA7};
    private static final VarHandle INT_LE = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final XXHash32 XXHASH = XXHashFactory.fastestInstance().hash32();

    private Lz4Frame() {}

    /** Returns the maximum size of the frame of a page; readers reject larger frames, regardless of their blocks. */
    static int bound(int pageSize) {
        return HEADER_SIZE + Integer.BYTES + Lz4Block.bound(pageSize) + END_SIZE;
    }

    static boolean isHeader(byte[] in, int offset) {
        for (int i = 0; i < HEADER_SIZE; i++) {
            if (in[offset + i] != HEADER[i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns the number of bytes after the size field at {@code offset}; 0 is the end mark; may be any number up to
     * 2^31 - 1.
     */
    static int blockSize(byte[] in, int offset) {
        return (int) INT_LE.get(in, offset) & ~STORED;
    }

    static boolean isEndMark(byte[] in, int offset) {
        return (int) INT_LE.get(in, offset) == 0;
    }

    /** Compresses into {@code out}, which has room for {@link #bound}, and returns the size of the frame. */
    static int compress(byte[] page, byte[] out, int outOffset) {
        System.arraycopy(HEADER, 0, out, outOffset, HEADER_SIZE);
        int sizeAt = outOffset + HEADER_SIZE;
        int dataAt = sizeAt + Integer.BYTES;
        int size = Lz4Block.compress(page, out, dataAt);
        if (size < page.length) {
            INT_LE.set(out, sizeAt, size);
        } else {
            size = page.length;
            System.arraycopy(page, 0, out, dataAt, size);
            INT_LE.set(out, sizeAt, size | STORED);
        }
        int end = dataAt + size;
        INT_LE.set(out, end, 0);
        INT_LE.set(out, end + Integer.BYTES, XXHASH.hash(page, 0, page.length, 0));
        return end + END_SIZE - outOffset;
    }

    /** Decompresses a whole frame into {@code page}; returns false if the frame is malformed or has another size. */
    static boolean decompress(byte[] in, int offset, int size, byte[] page) {
        int end = offset + size;
        if (size < HEADER_SIZE + END_SIZE || !isHeader(in, offset)) {
            return false;
        }
        int at = offset + HEADER_SIZE;
        int filled = 0;
        while (end - at > END_SIZE && !isEndMark(in, at)) {
            int blockSize = blockSize(in, at);
            boolean stored = (int) INT_LE.get(in, at) < 0;
            at += Integer.BYTES;
            if (blockSize > end - at) {
                return false;
            }
            int written = stored
                    ? copy(in, at, blockSize, page, filled)
                    : Lz4Block.decompress(in, at, blockSize, page, filled);
            if (written <= 0) {
                return false;
            }
            at += blockSize;
            filled += written;
        }
        return end - at == END_SIZE
                && isEndMark(in, at)
                && filled == page.length
                && (int) INT_LE.get(in, at + Integer.BYTES) == XXHASH.hash(page, 0, page.length, 0);
    }

    private static int copy(byte[] in, int offset, int size, byte[] page, int at) {
        if (size > page.length - at) {
            return -1;
        }
        System.arraycopy(in, offset, page, at, size);
        return size;
    }
}
