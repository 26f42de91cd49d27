package org.litestream4j.internal.vfs;

import java.nio.ByteBuffer;

/**
 * The header of the database file as SQLite must see it. Bytes 18 and 19 name the rollback journal; with a WAL, SQLite
 * would ask for shared memory. Bytes 24 to 27 are the change counter, by which SQLite notices that its cached pages are
 * old; a primary in WAL mode hardly ever changes it. As they differ from bytes 92 to 95, SQLite takes the size of the
 * database from the VFS. Bytes 40 to 43 are the schema cookie, by which SQLite notices that its cached schema is old.
 */
class PageOne {

    static final int HEADER_SIZE = 100;

    /** Offset and size of what SQLite compares at the start of each transaction: the change counter and what follows it. */
    static final int VERSION = 24;

    static final int VERSION_SIZE = 16;

    /**
     * Changes the part of the header that was read.
     *
     * @param bytes what was read, from index 0 on
     * @param offset offset of index 0 in the file
     */
    void patch(ByteBuffer bytes, long offset, int changeCounter, int schemaCookie) {
        put(bytes, offset, 18, 0x01010000, 2);
        put(bytes, offset, 24, changeCounter, 4);
        put(bytes, offset, 40, schemaCookie, 4);
    }

    /** Puts the leading bytes of a big-endian value to where they lie in what was read, if they do. */
    static void put(ByteBuffer bytes, long offset, int at, int value, int length) {
        for (int i = 0; i < length; i++) {
            long index = at + i - offset;
            if (index >= 0 && index < bytes.limit()) {
                bytes.put((int) index, (byte) (value >>> (24 - 8 * i)));
            }
        }
    }
}
