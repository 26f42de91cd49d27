package org.litestream4j.internal.wal;

import java.util.Arrays;

/**
 * The newest frame of each page, by page number. Uses open addressing in primitive arrays, with at most 24 bytes a
 * page. Not thread-safe.
 */
public final class WalPageMap {

    private static final int EMPTY = 0; // page numbers start at 1

    private int[] pgnos = new int[64];
    private int[] frames = new int[64];
    private int size;

    /** Returns the number of pages. */
    public int size() {
        return size;
    }

    /**
     * Returns the newest frame of a page, counted from 0; -1 if there is none.
     *
     * @param pgno unsigned 32-bit page number
     */
    public int frame(long pgno) {
        int slot = slot((int) pgno);
        return pgnos[slot] == EMPTY ? -1 : frames[slot];
    }

    void put(int pgno, int frame) {
        int slot = slot(pgno);
        if (pgnos[slot] == EMPTY) {
            if (2 * ++size > pgnos.length) {
                grow();
                slot = slot(pgno);
            }
            pgnos[slot] = pgno;
        }
        frames[slot] = frame;
    }

    /**
     * Returns all pages up to a size of the database, in ascending order: page number in the upper half, frame in the
     * lower half of each element.
     *
     * @param commit size of the database in pages
     */
    public long[] sorted(long commit) {
        long[] entries = new long[size];
        int count = 0;
        for (int i = 0; i < pgnos.length; i++) {
            long pgno = Integer.toUnsignedLong(pgnos[i]);
            if (pgnos[i] != EMPTY && pgno <= commit) {
                // page numbers from 2^31 on would sort as negative: flip the sign while sorting
                entries[count++] = (pgno << 32 | frames[i]) ^ Long.MIN_VALUE;
            }
        }
        long[] result = Arrays.copyOf(entries, count);
        Arrays.sort(result);
        for (int i = 0; i < count; i++) {
            result[i] ^= Long.MIN_VALUE;
        }
        return result;
    }

    /** Returns the page number of an element of {@link #sorted}. */
    public static long pgno(long entry) {
        return entry >>> 32;
    }

    /** Returns the frame of an element of {@link #sorted}. */
    public static int frameOf(long entry) {
        return (int) entry;
    }

    private int slot(int pgno) {
        int mask = pgnos.length - 1;
        int slot = (pgno * 0x9E37_79B9) >>> 7 & mask;
        while (pgnos[slot] != EMPTY && pgnos[slot] != pgno) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        int[] oldPgnos = pgnos;
        int[] oldFrames = frames;
        pgnos = new int[2 * oldPgnos.length];
        frames = new int[2 * oldPgnos.length];
        for (int i = 0; i < oldPgnos.length; i++) {
            if (oldPgnos[i] != EMPTY) {
                int slot = slot(oldPgnos[i]);
                pgnos[slot] = oldPgnos[i];
                frames[slot] = oldFrames[i];
            }
        }
    }
}
