package org.litestream4j.ltx;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Transforms a CRC over a fixed number of further bytes, whose own CRC is combined separately. The transformation is a
 * multiplication by a constant, done with tables of 16 KiB. Thus, one pass over a page serves two checksums.
 * Thread-safe.
 */
final class LtxChecksumShift {

    private static final int MAX_LOG = 16;

    /** Instances by the binary logarithm of the page size. */
    private static final AtomicReferenceArray<LtxChecksumShift> OF_PAGES = new AtomicReferenceArray<>(MAX_LOG + 1);

    /** Products of each value of each byte, lowest byte first. */
    private final long[] products = new long[Long.BYTES << Byte.SIZE];

    private LtxChecksumShift(long length) {
        for (int at = 0; at < Long.BYTES; at++) {
            int table = at << Byte.SIZE;
            for (int value = 1; value < 1 << Byte.SIZE; value++) {
                int highest = Integer.highestOneBit(value);
                products[table + value] = value == highest
                        ? LtxChecksum.combine((long) value << (at * Byte.SIZE), 0, length)
                        : products[table + highest] ^ products[table + value - highest];
            }
        }
    }

    /** @param pageSize page size, a power of two up to 65536 */
    static LtxChecksumShift ofPage(int pageSize) {
        int log = Integer.numberOfTrailingZeros(pageSize);
        LtxChecksumShift shift = OF_PAGES.get(log);
        if (shift == null) {
            shift = new LtxChecksumShift(pageSize);
            OF_PAGES.set(log, shift);
        }
        return shift;
    }

    /** @param crc {@link LtxChecksum#value} of the preceding bytes */
    long over(long crc) {
        return products[(int) crc & 0xFF]
                ^ products[0x100 + ((int) (crc >>> 8) & 0xFF)]
                ^ products[0x200 + ((int) (crc >>> 16) & 0xFF)]
                ^ products[0x300 + ((int) (crc >>> 24) & 0xFF)]
                ^ products[0x400 + ((int) (crc >>> 32) & 0xFF)]
                ^ products[0x500 + ((int) (crc >>> 40) & 0xFF)]
                ^ products[0x600 + ((int) (crc >>> 48) & 0xFF)]
                ^ products[0x700 + ((int) (crc >>> 56) & 0xFF)];
    }
}
