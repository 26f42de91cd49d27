package org.litestream4j.internal.replication;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rows and index entries on a page, each represented by a hash. Layout: sqlite.org, "Database File Format", section
 * "B-tree Pages".
 *
 * @param kind kind of the page
 * @param all hashes of all cells
 * @param telling hashes of the cells that are long enough not to be equal in two databases by chance
 */
record PageCells(Kind kind, Set<Long> all, Set<Long> telling) {

    enum Kind {
        /** Rows of a table. */
        ROWS,
        /** Entries of an index, or rows of a table without rowid. */
        ENTRIES,
        /** Only page numbers: inner pages of tables. */
        INNER,
        /** Not a page of a b-tree: part of a long value, or free. */
        OTHER
    }

    /** Minimum size in bytes of a distinctive cell; the payload of a row of some small numbers is shorter. */
    private static final int MIN_COMPARABLE_CELLS = 16;

    private static final int FILE_HEADER = 100;
    private static final int INNER_ENTRIES = 2;
    private static final int INNER_ROWS = 5;
    private static final int LEAF_ENTRIES = 10;
    private static final int LEAF_ROWS = 13;

    static PageCells of(long pgno, byte[] page) {
        int start = pgno == 1 ? FILE_HEADER : 0;
        int type = page[start];
        return switch (type) {
            case LEAF_ROWS -> parse(Kind.ROWS, page, start, start + 8, 0);
            case LEAF_ENTRIES -> parse(Kind.ENTRIES, page, start, start + 8, 0);
            case INNER_ENTRIES -> parse(Kind.ENTRIES, page, start, start + 12, 4);
            case INNER_ROWS -> new PageCells(Kind.INNER, Set.of(), Set.of());
            default -> new PageCells(Kind.OTHER, Set.of(), Set.of());
        };
    }

    private static PageCells parse(Kind kind, byte[] page, int start, int pointers, int skipped) {
        Set<Long> all = new HashSet<>();
        Set<Long> telling = new HashSet<>();
        int count = unsignedShort(page, start + 3);
        for (int i = 0; i < count && pointers + 2 * i + 2 <= page.length; i++) {
            Reader reader = new Reader(page, unsignedShort(page, pointers + 2 * i) + skipped);
            long length = reader.varint();
            long rowid = kind == Kind.ROWS ? reader.varint() : 0;
            Long cell = reader.hash(rowid, length, local(kind, length, page.length));
            if (cell == null) {
                return new PageCells(Kind.OTHER, Set.of(), Set.of());
            }
            all.add(cell);
            if (length >= MIN_COMPARABLE_CELLS) {
                telling.add(cell);
            }
        }
        return new PageCells(kind, all, telling);
    }

    /** Returns the number of payload bytes that are on the page. */
    private static int local(Kind kind, long length, int usable) {
        int most = kind == Kind.ROWS ? usable - 35 : (usable - 12) * 64 / 255 - 23;
        if (length <= most) {
            return (int) length;
        }
        int least = (usable - 12) * 32 / 255 - 23;
        long fitting = least + (length - least) % (usable - 4);
        return (int) (fitting <= most ? fitting : least);
    }

    /** Returns the child pages of an inner page of a table. */
    static List<Long> children(long pgno, byte[] page) {
        int start = pgno == 1 ? FILE_HEADER : 0;
        List<Long> children = new ArrayList<>();
        if (page[start] == INNER_ROWS) {
            int count = unsignedShort(page, start + 3);
            for (int i = 0; i < count && start + 12 + 2 * i + 2 <= page.length; i++) {
                int at = unsignedShort(page, start + 12 + 2 * i);
                if (at + 4 <= page.length) {
                    children.add(unsignedInt(page, at));
                }
            }
            children.add(unsignedInt(page, start + 8));
        }
        return children;
    }

    private static int unsignedShort(byte[] bytes, int at) {
        return (bytes[at] & 0xFF) << 8 | (bytes[at + 1] & 0xFF);
    }

    private static long unsignedInt(byte[] bytes, int at) {
        return (long) unsignedShort(bytes, at) << 16 | unsignedShort(bytes, at + 2);
    }

    private static final class Reader {
        private static final long FNV_START = 0xcbf29ce484222325L;
        private static final long FNV_PRIME = 0x100000001b3L;

        private final byte[] page;
        private int at;

        Reader(byte[] page, int at) {
            this.page = page;
            this.at = at;
        }

        /** Reads a varint; returns 0 beyond the page. */
        long varint() {
            long value = 0;
            for (int i = 0; i < 8; i++) {
                int next = next();
                value = value << 7 | (next & 0x7F);
                if (next < 0x80) {
                    return value;
                }
            }
            return value << 8 | next();
        }

        private int next() {
            return at < page.length ? page[at++] & 0xFF : 0;
        }

        /** Returns the hash of a cell; null if the cell extends beyond the page. */
        @Nullable
        Long hash(long rowid, long length, int local) {
            if (length < 0 || local < 0 || at + local > page.length) {
                return null;
            }
            long hash = add(add(FNV_START, rowid), length);
            for (int i = at; i < at + local; i++) {
                hash = (hash ^ (page[i] & 0xFF)) * FNV_PRIME;
            }
            return hash;
        }

        private static long add(long hash, long value) {
            long result = hash;
            for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
                result = (result ^ (value >>> shift & 0xFF)) * FNV_PRIME;
            }
            return result;
        }
    }
}
