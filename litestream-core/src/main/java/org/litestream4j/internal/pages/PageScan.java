package org.litestream4j.internal.pages;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.pages.TreeHints.Node;

/**
 * A sequence of pages that a reader seems to read: the pages expected next, up to a window that grows while they are
 * read. Not thread-safe.
 */
final class PageScan {

    private static final int FIRST_WINDOW = 16;

    /** Bytes of pages that are worth a request of their own. */
    private static final int CHUNK = 2 << 20;

    /** Number of expected pages that may be left out: in the cache of SQLite, or without a row that is wanted. */
    private static final int SKIPPED = 8;

    private final TreeHints tree;

    /** Expected pages are those from head to tail; those before asked are fetched. */
    private int[] expected = new int[2 * FIRST_WINDOW];

    private int head;
    private int asked;
    private int tail;
    private int window = FIRST_WINDOW;

    /** Number of expected pages that were read since the window grew. */
    private int read;

    /** Where the expected pages end: a position in a page of a tree; null if pages follow by number. */
    private @Nullable Node parent;

    private int at;
    private int last;

    /** Page of the tree without which the next pages are not known, with its position among its siblings; or null. */
    private @Nullable Lacking lacking;

    /**
     * Interior pages that have to be read, from a child of a page on.
     *
     * @param size number of children of the page before
     */
    record Lacking(Node above, int from, int size) {}

    PageScan(TreeHints tree, int pgno) {
        this.tree = tree;
        last = pgno;
        parent = tree.parentOf(pgno);
        at = parent == null ? 0 : parent.indexOf(pgno);
        while (tail < SKIPPED && grow(Integer.toUnsignedLong(-1))) {
            // expects the first pages, and fetches none of them
        }
    }

    /** Returns whether a page is expected; if so, those before it are not any more. */
    boolean advanceTo(int pgno) {
        int end = Math.min(tail, head + SKIPPED);
        for (int i = head; i < end; i++) {
            if (expected[i] == pgno) {
                read += i + 1 - head;
                head = i + 1;
                asked = Math.max(asked, head);
                return true;
            }
        }
        return false;
    }

    /** Finds the pages up to the window, which doubles after half of it was read. */
    void extend(int most, long commit) {
        if (read >= window / 2) {
            window *= 2;
            read = 0;
        }
        window = Math.min(window, most);
        lacking = null;
        while (tail - head < window && grow(commit)) {
            // one more
        }
    }

    /**
     * Returns the interior pages that lead to the pages expected next, as many as the window needs; empty if all are
     * known.
     */
    int[] lacking() {
        Lacking found = lacking;
        if (found == null) {
            return new int[0];
        }
        Node above = found.above();
        int count = Math.min(above.size() - found.from(), 1 + (window - (tail - head)) / found.size());
        int[] pgnos = new int[count];
        for (int i = 0; i < count; i++) {
            pgnos[i] = above.child(found.from() + i);
        }
        return pgnos;
    }

    /** Returns whether enough pages can be asked for to be worth a request. */
    boolean isDue(int pageSize) {
        int worthwhile = Math.min(window / 2, Math.max(1, CHUNK / pageSize));
        return tail > asked && (asked == head || tail - asked >= worthwhile);
    }

    /** Returns the expected pages that were not asked for. */
    int[] take() {
        int[] taken = Arrays.copyOfRange(expected, asked, tail);
        asked = tail;
        return taken;
    }

    private boolean grow(long commit) {
        Node node = parent;
        if (node == null) {
            if (Integer.toUnsignedLong(last) >= commit) {
                return false;
            }
            add(last + 1);
            return true;
        }
        if (at + 1 < node.size()) {
            add(node.child(++at));
            return true;
        }
        Node above = tree.parentOf(node.pgno());
        int position = above == null ? -1 : above.indexOf(node.pgno());
        if (above == null || position < 0 || position + 1 >= above.size()) {
            return false;
        }
        Node next = tree.node(above.child(position + 1));
        if (next == null) {
            lacking = new Lacking(above, position + 1, node.size());
            return false;
        }
        parent = next;
        at = 0;
        add(next.child(0));
        return true;
    }

    private void add(int pgno) {
        if (tail == expected.length) {
            int[] moved = tail - head > expected.length / 2 ? new int[2 * expected.length] : expected;
            System.arraycopy(expected, head, moved, 0, tail - head);
            expected = moved;
            asked -= head;
            tail -= head;
            head = 0;
        }
        expected[tail++] = pgno;
        last = pgno;
    }
}
