package org.litestream4j.ltx;

/**
 * The page that SQLite locks and never uses: the one that contains byte 0x40000000. No LTX file contains it; in a
 * database it consists of zeros.
 */
public final class LockPage {

    private static final int LOCK_BYTE = 0x4000_0000;

    private LockPage() {}

    /**
     * Returns the number of the lock page, which may be beyond the end of the database.
     *
     * @param pageSize page size in bytes
     */
    public static long pgno(int pageSize) {
        return LOCK_BYTE / pageSize + 1L;
    }
}
