package org.litestream4j.ltx;

import static org.litestream4j.ltx.InvalidFieldException.check;

/**
 * The bytes of the source database's WAL that the pages of an LTX file came from.
 *
 * @param offset in bytes from the WAL's start, not negative; 0 when the range is {@link #NONE}
 * @param size in bytes, not negative
 * @param salt1 of the WAL's header
 * @param salt2 of the WAL's header
 */
public record WalRange(long offset, long size, int salt1, int salt2) {

    /** Frames begin behind the header of the WAL. */
    private static final long FIRST_FRAME = 32;

    /** Of files that were merged. */
    public static final WalRange NONE = new WalRange(0, 0, 0, 0);

    /** @throws IllegalArgumentException if a number is negative, or size or salts come without an offset */
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
     * Returns whether the frames of this range can follow those of another: in the same WAL they continue it or overlap its end,
     * in a WAL that began anew they are the first. A range without frames says nothing and fits everywhere.
     *
     * @param before range of the transaction before
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
