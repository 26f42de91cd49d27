package org.litestream4j.ltx;

import static org.litestream4j.ltx.InvalidFieldException.check;

/**
 * Range of bytes in the source database's WAL that contained the pages of an LTX file.
 *
 * @param offset offset in bytes from the start of the WAL, not negative; 0 if the range is {@link #NONE}
 * @param size size in bytes, not negative
 * @param salt1 first salt of the WAL's header
 * @param salt2 second salt of the WAL's header
 */
public record WalRange(long offset, long size, int salt1, int salt2) {

    /** Offset of the first frame: the size of the WAL's header in bytes. */
    private static final long FIRST_FRAME = 32;

    /** Range of merged files. */
    public static final WalRange NONE = new WalRange(0, 0, 0, 0);

    /** @throws IllegalArgumentException if a number is negative, or if size or salts are given without an offset */
    public WalRange {
        check(offset >= 0, "WAL offset", "0 or more", offset);
        check(size >= 0, "WAL size", "0 or more", size);
        check(offset > 0 || size == 0, "WAL size", "0 without a WAL offset", size);
        check(
                offset > 0 || (salt1 == 0 && salt2 == 0),
                "WAL salts",
                "0 without a WAL offset",
                Integer.toHexString(salt1) + " " + Integer.toHexString(salt2));
    }

    /**
     * Returns whether the frames of this range can follow those of another. In the same WAL, they must continue the
     * other range or overlap its end; in a restarted WAL, they must be the first frames. A range without frames may
     * follow any range, and any range may follow it.
     *
     * @param before range of the preceding transaction
     */
    public boolean follows(WalRange before) {
        if (before.size() == 0 || size == 0) {
            return true;
        }
        long end = before.offset() + before.size();
        boolean sameWal = before.salt1() == salt1 && before.salt2() == salt2;
        return sameWal ? offset <= end && end <= offset + size : offset == FIRST_FRAME;
    }
}
