package org.litestream4j.restore;

import java.nio.ByteBuffer;
import org.litestream4j.ltx.Txid;

/**
 * What a standby's page 1 has of its own (sqlite.org/fileformat2.html, "The Database Header"): rollback mode in place of WAL,
 * as it is changed in place, and a change counter that tells its TXID. Readers see by the counter that their caches are old; we,
 * that nobody else has written.
 */
final class StandbyHeader {

    /** Bytes of the header that are looked at. */
    static final int SIZE = 100;

    private static final int PAGE_SIZE = 16;
    private static final int FORMATS = 18;
    private static final short ROLLBACK = 0x0101;
    private static final int CHANGE_COUNTER = 24;
    private static final int PAGES = 28;
    private static final int VERSION_VALID_FOR = 92;

    private StandbyHeader() {}

    /** Makes a primary's page 1 a standby's. */
    static void write(byte[] page, Txid txid, long commit) {
        ByteBuffer.wrap(page)
                .putShort(FORMATS, ROLLBACK)
                .putInt(CHANGE_COUNTER, counter(txid))
                .putInt(PAGES, (int) commit)
                .putInt(VERSION_VALID_FOR, counter(txid));
    }

    /** In bytes; whatever the file says. */
    static int pageSize(byte[] header) {
        int size = ByteBuffer.wrap(header).getShort(PAGE_SIZE) & 0xFFFF;
        return size == 1 ? 65536 : size;
    }

    /** Whether a standby at this TXID was left so. */
    static boolean isAt(byte[] header, Txid txid) {
        ByteBuffer fields = ByteBuffer.wrap(header);
        return fields.getShort(FORMATS) == ROLLBACK
                && fields.getInt(CHANGE_COUNTER) == counter(txid)
                && fields.getInt(VERSION_VALID_FOR) == counter(txid);
    }

    /**
     * One to one for the lower half of a TXID, and scattered: SQLite adds 1 with each transaction of its own, which must not look
     * like the next TXID.
     */
    private static int counter(Txid txid) {
        int mixed = (int) txid.value();
        mixed = (mixed ^ mixed >>> 16) * 0x85eb_ca6b;
        mixed = (mixed ^ mixed >>> 13) * 0xc2b2_ae35;
        return mixed ^ mixed >>> 16;
    }
}
