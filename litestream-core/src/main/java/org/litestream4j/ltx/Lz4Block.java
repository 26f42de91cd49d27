package org.litestream4j.ltx;

import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * LZ4 blocks. The library's safe decompressor stays within both arrays. Further rules of the LZ4 format, which other
 * readers of LTX files enforce, are checked here.
 */
final class Lz4Block {

    private static final LZ4Compressor COMPRESSOR = LZ4Factory.fastestInstance().fastCompressor();
    private static final LZ4SafeDecompressor DECOMPRESSOR =
            LZ4Factory.fastestInstance().safeDecompressor();
    private static final int LONG_LENGTH = 15;

    private Lz4Block() {}

    /** Returns the maximum size of a block with {@code size} bytes of content. */
    static int bound(int size) {
        return size + size / 255 + 16;
    }

    /** Compresses into {@code out}, which has room for {@link #bound}, and returns the compressed size. */
    static int compress(byte[] in, byte[] out, int outOffset) {
        return COMPRESSOR.compress(in, 0, in.length, out, outOffset, bound(in.length));
    }

    /**
     * Decompresses and returns the number of bytes written at {@code outOffset}, or -1 if the block is malformed or
     * does not fit.
     */
    static int decompress(byte[] in, int offset, int size, byte[] out, int outOffset) {
        int written;
        try {
            written = DECOMPRESSOR.decompress(in, offset, size, out, outOffset, out.length - outOffset);
        } catch (LZ4Exception e) {
            return -1;
        }
        return isWellFormed(in, offset, offset + size) ? written : -1;
    }

    /** Returns whether no match has offset 0, and the last token has no match and a match length of 0. */
    private static boolean isWellFormed(byte[] in, int offset, int end) {
        int at = offset;
        while (at < end) {
            int token = in[at++];
            int literals = token >>> 4 & 0xF;
            if (literals == LONG_LENGTH) {
                int more;
                do {
                    if (at >= end) {
                        return false;
                    }
                    more = in[at++] & 0xFF;
                    literals += more;
                } while (more == 0xFF);
            }
            at += literals;
            if (at >= end) {
                return at == end && (token & 0xF) == 0;
            }
            if (end - at < 2 || (in[at] == 0 && in[at + 1] == 0)) {
                return false;
            }
            at += 2;
            if ((token & 0xF) == LONG_LENGTH) {
                do {
                    if (at >= end) {
                        return false;
                    }
                } while (in[at++] == -1);
            }
        }
        return false;
    }
}
