package org.litestream4j.ltx;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * CRC-64/GO-ISO, computed incrementally. Not thread-safe; parts computed separately are joined by {@link #combine}.
 *
 * <p>The register is bit-reversed: bit 63 is the coefficient of x^0. The polynomial is so sparse (x^64 ≡ x^4 + x^3 + x
 * + 1) that a word is folded by shifts, without tables. Squared twice, it gives x^256 ≡ x^16 + x^12 + x^4 + 1, with
 * which four interleaved lanes are computed independently.
 */
public final class LtxChecksum {

    /** Set in every checksum that is stored, so that none is 0. */
    public static final long STORED_BIT = 1L << 63;

    private static final VarHandle LONG_LE =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int LANES_BYTES = 32;

    private long register = -1;
    private long length;

    /** Resets the checksum to that of no bytes. */
    public void reset() {
        register = -1;
        length = 0;
    }

    /**
     * Adds bytes.
     *
     * @throws IndexOutOfBoundsException if the range is not inside {@code bytes}
     */
    public void update(byte[] bytes, int offset, int count) {
        int end = Math.addExact(offset, count);
        if (offset < 0 || count < 0 || end > bytes.length) {
            throw new IndexOutOfBoundsException(offset + " + " + count + " of " + bytes.length);
        }
        long crc = register;
        int at = offset;
        if (count >= 2 * LANES_BYTES) {
            int lanesEnd = end - count % LANES_BYTES;
            crc = updateLanes(crc, bytes, at, lanesEnd);
            at = lanesEnd;
        }
        for (; at <= end - Long.BYTES; at += Long.BYTES) {
            crc = fold(crc ^ (long) LONG_LE.get(bytes, at));
        }
        for (; at < end; at++) {
            crc ^= bytes[at] & 0xFF;
            crc = crc >>> 8 ^ reduce(crc << 56);
        }
        register = crc;
        length += count;
    }

    /** Adds the four bytes of a big-endian number. */
    public void updateInt(int value) {
        long crc = register ^ Integer.toUnsignedLong(Integer.reverseBytes(value));
        register = crc >>> 32 ^ reduce(crc << 32);
        length += Integer.BYTES;
    }

    /** Adds the eight bytes of a big-endian number. */
    public void updateLong(long value) {
        register = fold(register ^ Long.reverseBytes(value));
        length += Long.BYTES;
    }

    /** Adds the two bytes of a big-endian number. */
    void updateShort(int value) {
        long crc = register ^ (Short.reverseBytes((short) value) & 0xFFFF);
        register = crc >>> 16 ^ reduce(crc << 48);
        length += Short.BYTES;
    }

    /** Returns the plain CRC of all bytes so far. */
    public long value() {
        return ~register;
    }

    /** Returns the CRC as stored in files, with {@link #STORED_BIT}. */
    public long stored() {
        return value() | STORED_BIT;
    }

    /** Returns the number of bytes added. */
    public long length() {
        return length;
    }

    /** Continues as if the bytes of {@code next} had been added here. */
    public void append(LtxChecksum next) {
        register = ~combine(value(), next.value(), next.length);
        length += next.length;
    }

    /**
     * Continues as if the bytes of a page had been added here.
     *
     * @param shift shift for the size of the page
     */
    void append(LtxChecksum page, LtxChecksumShift shift) {
        register = ~(shift.over(value()) ^ page.value());
        length += page.length;
    }

    /**
     * Returns the CRC of two concatenated byte strings.
     *
     * @param crcA {@link #value()} of the first string
     * @param crcB {@link #value()} of the second string
     * @param lengthB length of the second string in bytes, not negative
     */
    public static long combine(long crcA, long crcB, long lengthB) {
        if (lengthB < 0) {
            throw new IllegalArgumentException("negative length: " + lengthB);
        }
        long shifted = crcA;
        long power = 1L << 55; // x^8, then squared repeatedly
        for (long rest = lengthB; rest != 0; rest >>>= 1) {
            if ((rest & 1) != 0) {
                shifted = multiply(shifted, power);
            }
            power = multiply(power, power);
        }
        return shifted ^ crcB;
    }

    /**
     * Returns the checksum of one page, with {@link #STORED_BIT}.
     *
     * @param pgno unsigned 32-bit page number
     */
    public static long page(long pgno, byte[] page) {
        LtxChecksum checksum = new LtxChecksum();
        checksum.updateInt((int) pgno);
        checksum.update(page, 0, page.length);
        return checksum.stored();
    }

    /** Returns the checksum of one page, given the CRC of the page's bytes. */
    static long page(long pgno, LtxChecksum page, LtxChecksumShift shift) {
        LtxChecksum checksum = new LtxChecksum();
        checksum.updateInt((int) pgno);
        checksum.append(page, shift);
        return checksum.stored();
    }

    /** Returns the checksum of a database, given the XOR of its pages' checksums without the lock page. */
    public static long database(long xorOfPages) {
        return xorOfPages | STORED_BIT;
    }

    private static long updateLanes(long crc, byte[] bytes, int from, int end) {
        long a = crc ^ (long) LONG_LE.get(bytes, from);
        long b = (long) LONG_LE.get(bytes, from + 8);
        long c = (long) LONG_LE.get(bytes, from + 16);
        long d = (long) LONG_LE.get(bytes, from + 24);
        for (int at = from + LANES_BYTES; at < end; at += LANES_BYTES) {
            a = foldLane(a) ^ (long) LONG_LE.get(bytes, at);
            b = foldLane(b) ^ (long) LONG_LE.get(bytes, at + 8);
            c = foldLane(c) ^ (long) LONG_LE.get(bytes, at + 16);
            d = foldLane(d) ^ (long) LONG_LE.get(bytes, at + 24);
        }
        return fold(fold(fold(fold(a) ^ b) ^ c) ^ d);
    }

    /** Returns v · x^64. */
    private static long fold(long v) {
        return v ^ v >>> 1 ^ v >>> 3 ^ v >>> 4 ^ reduce(v << 63 ^ v << 61 ^ v << 60);
    }

    /** Returns v · x^256. */
    private static long foldLane(long v) {
        return v ^ v >>> 4 ^ v >>> 12 ^ v >>> 16 ^ reduce(v << 60 ^ v << 52 ^ v << 48);
    }

    /** Returns v · x^64 for v of degree below 60, so that nothing overflows. */
    private static long reduce(long v) {
        return v ^ v >>> 1 ^ v >>> 3 ^ v >>> 4;
    }

    private static long multiply(long a, long b) {
        long product = 0;
        long shifted = a; // a · x^i
        for (long rest = b; rest != 0; rest <<= 1) {
            if (rest < 0) {
                product ^= shifted;
            }
            shifted = shifted >>> 1 ^ reduce(shifted << 63);
        }
        return product;
    }
}
