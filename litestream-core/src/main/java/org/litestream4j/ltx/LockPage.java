package org.litestream4j.ltx;

/** The page that SQLite locks and never uses: the one with byte 0x40000000. No LTX file holds it; a database has zeros there. */
public final class LockPage {

    private static final int LOCK_BYTE = 0x4000_0000;

    private LockPage() {}

    /**
     * Number of the lock page, which may be beyond the end of the database.
     *
     * @param pageSize in bytes
     */
    public static long pgno(int pageSize) {
        return LOCK_BYTE / pageSize + 1L;
    }
}
