package org.litestream4j.internal.pages;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which pages of b-trees lead to which others, as far as seen lately: the children of a page in the order of a scan. Only
 * hints: pages of several states are mixed, and a page that looks like one of a tree may be none. Thread-safe.
 */
final class TreeHints {

    private static final int INDEX = 2;
    private static final int TABLE = 5;
    private static final int FILE_HEADER = 100;
    private static final int TREE_HEADER = 12;
    private static final int RIGHTMOST_AT = 8;

    /** Largest number of children of all nodes: about 2 MiB, with the table of parents. */
    private static final int MAX_NODES = 1 << 17;

    private static final int FIRST_GIVEN = 4;

    private static final int SLOTS = 1 << 17;

    private final Map<Integer, Node> nodes = new LinkedHashMap<>(16, 0.75f, true);

    /** A child by its hash, and its parent; a later one takes the place of an earlier one. */
    private final int[] children = new int[SLOTS];

    private final int[] parents = new int[SLOTS];

    private int known;

    /** An interior page. */
    static final class Node {

        private final int pgno;
        private final int[] children;

        /** Number of children that were asked for with {@link #interiorBeside}, and the place of the last one. */
        private int given;

        private int givenTo;

        Node(int pgno, int[] children) {
            this.pgno = pgno;
            this.children = children;
        }

        int pgno() {
            return pgno;
        }

        int size() {
            return children.length;
        }

        int child(int at) {
            return children[at];
        }

        /** Returns -1 if the page is not a child. */
        int indexOf(int child) {
            for (int i = 0; i < children.length; i++) {
                if (children[i] == child) {
                    return i;
                }
            }
            return -1;
        }
    }

    /** Takes note of a page if it is an interior one. */
    void learn(long number, byte[] page) {
        int base = number == 1 ? FILE_HEADER : 0;
        if (page[base] == INDEX || page[base] == TABLE) {
            int[] found = children(page, base);
            if (found != null) {
                put(new Node((int) number, found));
            }
        }
    }

    private static int @Nullable [] children(byte[] page, int base) {
        int cells = unsignedShort(page, base + 3);
        if (base + TREE_HEADER + 2 * cells > page.length) {
            return null;
        }
        int[] children = new int[cells + 1];
        for (int i = 0; i < cells; i++) {
            int cell = unsignedShort(page, base + TREE_HEADER + 2 * i);
            if (cell < TREE_HEADER || cell + Integer.BYTES > page.length) {
                return null;
            }
            children[i] = number(page, cell);
        }
        children[cells] = number(page, base + RIGHTMOST_AT);
        return children;
    }

    private static int unsignedShort(byte[] page, int at) {
        return (page[at] & 0xFF) << 8 | (page[at + 1] & 0xFF);
    }

    private static int number(byte[] page, int at) {
        return unsignedShort(page, at) << 16 | unsignedShort(page, at + 2);
    }

    private synchronized void put(Node node) {
        Node before = nodes.put(node.pgno, node);
        known += node.size() - (before == null ? 0 : before.size());
        var eldest = nodes.values().iterator();
        while (known > MAX_NODES && eldest.hasNext()) {
            known -= eldest.next().size();
            eldest.remove();
        }
        for (int child : node.children) {
            int slot = slot(child);
            children[slot] = child;
            parents[slot] = node.pgno;
        }
    }

    private static int slot(int child) {
        return child & (SLOTS - 1);
    }

    /** Returns an interior page; null if it is not known. */
    synchronized @Nullable Node node(int pgno) {
        return nodes.get(pgno);
    }

    /**
     * Returns interior pages with the same parent as an interior page that is about to be read at random: a few the first
     * time, then as many as were returned so far, until each was. Empty if the page is not known to be an interior one.
     */
    synchronized int[] interiorBeside(int pgno) {
        Node parent = parentOf(pgno);
        if (parent == null || parent.given >= parent.size() || !hasInterior(parent)) {
            return new int[0];
        }
        int count = Math.min(Math.max(FIRST_GIVEN, parent.given), parent.size() - parent.given);
        int from = parent.given == 0 ? Math.max(0, parent.indexOf(pgno)) : parent.givenTo;
        int[] others = new int[count];
        for (int i = 0; i < count; i++) {
            others[i] = parent.child((from + 1 + i) % parent.size());
        }
        parent.given += count;
        parent.givenTo = from + count;
        return others;
    }

    private boolean hasInterior(Node parent) {
        for (int i = 0; i < parent.size(); i++) {
            if (nodes.containsKey(parent.child(i))) {
                return true;
            }
        }
        return false;
    }

    /** Returns the page that leads to another one; null if it is not known. */
    synchronized @Nullable Node parentOf(int pgno) {
        int slot = slot(pgno);
        return children[slot] == pgno ? nodes.get(parents[slot]) : null;
    }
}
