package org.litestream4j.restore;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.litestream4j.ltx.Txid;

/**
 * The fields of page 1 that a standby manages itself (sqlite.org/fileformat2.html, "The Database Header"). The file
 * format is rollback mode, because the file is changed in place. Change counter and schema cookie are independent of
 * the primary's and only grow. Readers drop their cached pages when the counter differs and their cached schema when
 * the cookie differs; no value may therefore be reused with other content. The counter also encodes the TXID, as a
 * remainder, which reveals transactions of other writers.
 */
final class StandbyHeader {

    /** Number of header bytes that are read. */
    static final int SIZE = 100;

    private static final byte[] MAGIC = {'S', 'Q', 'L', 'i', 't', 'e', ' ', 'f', 'o', 'r', 'm', 'a', 't', ' ', '3', 0};
    private static final int PAGE_SIZE = 16;
    private static final int FORMATS = 18;
    private static final short ROLLBACK = 0x0101;
    private static final int CHANGE_COUNTER = 24;
    private static final int PAGES = 28;
    private static final int SCHEMA_COOKIE = 40;
    private static final int VERSION_VALID_FOR = 92;

    /**
     * Modulus of the encoded TXID; a prime. SQLite adds 1 to the counter with each of its own transactions, so that
     * only multiples of this number remain undetected.
     */
    private static final int TXID_MODULUS = 4093;

    private StandbyHeader() {}

    /**
     * Turns page 1 of a primary into page 1 of a standby.
     *
     * @param page page 1 of the primary
     * @param previous header of the file as known to readers; the primary's own page 1 if there is none
     * @param newSchema whether the schema may differ from the one of {@code previous}
     */
    static void write(byte[] page, byte[] previous, boolean newSchema, Txid txid, long commit) {
        ByteBuffer before = ByteBuffer.wrap(previous);
        int counter = nextCounter(before.getInt(CHANGE_COUNTER), txid);
        int cookie = before.getInt(SCHEMA_COOKIE) + (newSchema ? 1 : 0);
        ByteBuffer.wrap(page)
                .putShort(FORMATS, ROLLBACK)
                .putInt(CHANGE_COUNTER, counter)
                .putInt(PAGES, (int) commit)
                .putInt(SCHEMA_COOKIE, cookie)
                .putInt(VERSION_VALID_FOR, counter);
    }

    /** Returns whether the bytes begin with SQLite's magic. */
    static boolean isDatabase(byte[] header) {
        return header.length >= MAGIC.length && Arrays.equals(header, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /** Returns the page size in bytes; the value in the file is not validated. */
    static int pageSize(byte[] header) {
        int size = ByteBuffer.wrap(header).getShort(PAGE_SIZE) & 0xFFFF;
        return size == 1 ? 65536 : size;
    }

    static int changeCounter(byte[] header) {
        return ByteBuffer.wrap(header).getInt(CHANGE_COUNTER);
    }

    /** Returns whether a follower, or an earlier release, left the file at this TXID. */
    static boolean isAt(byte[] header, Txid txid) {
        int counter = changeCounter(header);
        return isStandby(header)
                && (Integer.remainderUnsigned(counter, TXID_MODULUS) == remainder(txid) || counter == mixed(txid));
    }

    /** Returns whether a follower left the file with this change counter. */
    static boolean hasCounter(byte[] header, int counter) {
        return isStandby(header) && changeCounter(header) == counter;
    }

    private static boolean isStandby(byte[] header) {
        ByteBuffer fields = ByteBuffer.wrap(header);
        return fields.getShort(FORMATS) == ROLLBACK
                && fields.getInt(VERSION_VALID_FOR) == fields.getInt(CHANGE_COUNTER);
    }

    /** Returns the next larger counter that encodes the TXID. */
    private static int nextCounter(int counter, Txid txid) {
        long next = Integer.toUnsignedLong(counter) + 1;
        next += Math.floorMod(remainder(txid) - next, (long) TXID_MODULUS);
        return next <= 0xFFFF_FFFFL ? (int) next : nextCounter(0, txid); // after a million changes or more
    }

    private static int remainder(Txid txid) {
        return Integer.remainderUnsigned(mixed(txid), TXID_MODULUS);
    }

    /** Scatters the TXID, so that a few transactions of SQLite do not lead to the encoding of the next TXID. */
    private static int mixed(Txid txid) {
        int mixed = (int) txid.value();
        mixed = (mixed ^ mixed >>> 16) * 0x85eb_ca6b;
        mixed = (mixed ^ mixed >>> 13) * 0xc2b2_ae35;
        return mixed ^ mixed >>> 16;
    }
}
