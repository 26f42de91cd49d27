package org.litestream4j.internal.vfs;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.Sha256;
import org.litestream4j.internal.pages.PinnedState;

/**
 * A digest of the schema of a state: of all pages of the table {@code sqlite_schema} and of the fields of the header on
 * which its meaning depends. Two states with the same digest have the same schema. The schema cookie of the database does
 * not say so much: after a restore to an earlier moment, the same cookies come again for other schemas.
 */
final class SchemaDigest {

    /** Largest number of pages that are read; a table {@code sqlite_schema} of more is not compared. */
    private static final int MAX_PAGES = 20_000;

    private static final int HEADER = PageOne.HEADER_SIZE;
    private static final int INTERIOR = 5;
    private static final int LEAF = 13;

    private final PinnedState state;
    private final int pageSize;
    private final ByteBuffer page;
    private final MessageDigest digest;
    private final Deque<Long> tree = new ArrayDeque<>();
    private final Deque<Long> overflow = new ArrayDeque<>();
    private int usable;
    private int read;

    private SchemaDigest(PinnedState state, MessageDigest digest) {
        this.state = state;
        this.digest = digest;
        this.pageSize = state.info().pageSize();
        this.page = ByteBuffer.allocate(pageSize);
    }

    /** Returns the digest; null if the table is too large or damaged, in which case SQLite finds the damage. */
    static byte @Nullable [] of(PinnedState state) throws IOException {
        try {
            SchemaDigest schema = new SchemaDigest(state, Sha256.digest());
            return schema.walk() ? schema.digest.digest() : null;
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) { // a pointer within a page
            return null;
        }
    }

    private boolean walk() throws IOException {
        tree.add(1L);
        while (!tree.isEmpty() || !overflow.isEmpty()) {
            boolean ofTree = overflow.isEmpty();
            long number = ofTree ? tree.remove() : overflow.remove();
            if (!load(number)) {
                return false;
            }
            if (!ofTree) {
                digest.update(page.array());
                addTo(overflow, Integer.toUnsignedLong(page.getInt(0)));
            } else if (!visit(number == 1 ? HEADER : 0)) {
                return false;
            }
        }
        return true;
    }

    private boolean load(long number) throws IOException {
        if (++read > MAX_PAGES || number > state.info().pageCount()) {
            return false;
        }
        page.clear();
        while (page.hasRemaining()) {
            if (state.read((number - 1) * pageSize + page.position(), page) <= 0) {
                throw new EOFException(
                        "page " + number + " of TXID " + state.info().txid() + " is cut short");
            }
        }
        return true;
    }

    /** Visits a page of the tree. */
    private boolean visit(int start) {
        byte[] bytes = page.array();
        if (start == HEADER) {
            usable = pageSize - (bytes[20] & 0xFF);
            digest.update(bytes, 16, 2); // page size
            digest.update(bytes, 20, 1); // reserved space
            digest.update(bytes, 44, 4); // schema format
            digest.update(bytes, 52, 8); // auto-vacuum, text encoding
        }
        digest.update(bytes, start, pageSize - start);
        int type = bytes[start];
        int cells = page.getShort(start + 3) & 0xFFFF;
        if (type == INTERIOR) {
            for (int i = 0; i < cells; i++) {
                int cell = page.getShort(start + 12 + 2 * i) & 0xFFFF;
                addTo(tree, Integer.toUnsignedLong(page.getInt(cell)));
            }
            addTo(tree, Integer.toUnsignedLong(page.getInt(start + 8)));
            return true;
        }
        for (int i = 0; type == LEAF && i < cells; i++) {
            visitCell(page.getShort(start + 8 + 2 * i) & 0xFFFF);
        }
        return type == LEAF;
    }

    /** Visits a cell of a leaf: size of the payload, row id, payload, and the first overflow page if it does not fit. */
    private void visitCell(int cell) {
        page.position(cell);
        long payload = varint();
        varint();
        int local = localSize(payload);
        if (local < payload) {
            addTo(overflow, Integer.toUnsignedLong(page.getInt(page.position() + local)));
        }
    }

    /** Returns the number of bytes of a payload that lie on the leaf. */
    private int localSize(long payload) {
        int max = usable - 35;
        if (payload <= max) {
            return (int) payload;
        }
        int min = (usable - 12) * 32 / 255 - 23;
        int fitting = (int) (min + (payload - min) % (usable - 4));
        return fitting <= max ? fitting : min;
    }

    private long varint() {
        long value = 0;
        for (int i = 0; i < 8; i++) {
            byte next = page.get(page.position());
            page.position(page.position() + 1);
            value = (value << 7) | (next & 0x7F);
            if (next >= 0) {
                return value;
            }
        }
        value = (value << 8) | (page.get(page.position()) & 0xFF);
        page.position(page.position() + 1);
        return value;
    }

    private static void addTo(Deque<Long> pages, long number) {
        if (number != 0) {
            pages.add(number);
        }
    }
}
