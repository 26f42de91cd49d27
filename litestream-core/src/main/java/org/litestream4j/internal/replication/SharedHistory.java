package org.litestream4j.internal.replication;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.LivePages;

/**
 * Determines from the content of pages whether a database and a replica belong to one history. Two databases of one
 * application have the same schema, the same empty tables and perhaps the same reference data. An older or newer copy
 * of one database has common rows on the pages that differ. Therefore, schema and empty pages are ignored; equal pages
 * and pages with common rows count as evidence for kinship; pages with rows of which none (or few) are common count
 * against it, regardless of equal pages.
 */
public final class SharedHistory {

    /**
     * Size of a database in bytes up to which all its pages are read, so that rows that moved to another page are
     * found.
     */
    private static final int SMALL = 4 << 20;

    private static final int RATIO = 2;

    /** Number of common pages for which one contradicting page is tolerated. */
    private static final int TOLERANCE = 16;

    private final int pageSize;
    private final long commit;
    private final SortedMap<Long, byte[]> pages;
    private final Set<Long> schema;

    /**
     * Starts with pages of the replica's newest state.
     *
     * @param pageSize page size of the replica's database in bytes
     * @param commit size of the replica's database in pages
     * @param pages pages of the replica's database, by page number
     */
    public SharedHistory(int pageSize, long commit, SortedMap<Long, byte[]> pages) {
        this.pageSize = pageSize;
        this.commit = commit;
        this.pages = pages;
        this.schema = new HashSet<>(Set.of(1L));
        byte[] first = pages.get(1L);
        if (first != null) {
            schema.addAll(PageCells.children(1, first));
        }
    }

    /** Result of a comparison, in pages. */
    private static final class Tally {
        private int common;
        private int foreign;
        /** Number of common pages that are not equal. */
        private int changed;
        /** Number of foreign pages with several rows on both sides. */
        private int contradicting;

        boolean isEmpty() {
            return common + foreign == 0;
        }

        boolean isShared() {
            return common > RATIO * foreign && contradicting <= changed + common / TOLERANCE;
        }
    }

    /**
     * Compares the replica with a database.
     *
     * @return null if they belong to one history; otherwise the findings, for messages
     */
    public @Nullable String contradiction(LivePages live) throws IOException {
        SortedMap<Long, byte[]> ours = read(live);
        if (isSame(live, ours)) {
            return null;
        }
        Set<Long> known = new HashSet<>();
        ours.forEach((pgno, page) -> known.addAll(PageCells.of(pgno, page).all()));
        Tally telling = new Tally();
        Tally weak = new Tally();
        for (Map.Entry<Long, byte[]> page : pages.entrySet()) {
            if (!schema.contains(page.getKey())) {
                compare(page.getKey(), page.getValue(), ours.get(page.getKey()), known, telling, weak);
            }
        }
        Tally tally = telling.isEmpty() ? weak : telling;
        return tally.isShared()
                ? null
                : "of " + (tally.common + tally.foreign) + " compared pages with content, " + tally.common
                        + " have something in common";
    }

    private SortedMap<Long, byte[]> read(LivePages live) throws IOException {
        SortedMap<Long, byte[]> ours = new TreeMap<>();
        if (live.commit() * live.pageSize() <= SMALL) {
            for (long pgno = 1; pgno <= live.commit(); pgno++) {
                ours.put(pgno, live.read(pgno));
            }
        } else {
            for (long pgno : pages.keySet()) {
                if (pgno <= live.commit()) {
                    ours.put(pgno, live.read(pgno));
                }
            }
        }
        return ours;
    }

    /** Returns whether nothing differs, except possibly the counters on page 1. */
    private boolean isSame(LivePages live, SortedMap<Long, byte[]> ours) {
        if (live.pageSize() != pageSize || live.commit() != commit || !pages.containsKey(1L)) {
            return false;
        }
        for (Map.Entry<Long, byte[]> page : pages.entrySet()) {
            byte[] other = ours.get(page.getKey());
            boolean same = (page.getKey() == 1 && other != null)
                    ? PageCells.of(1, page.getValue()).equals(PageCells.of(1, other))
                    : Arrays.equals(page.getValue(), other);
            if (!same) {
                return false;
            }
        }
        return true;
    }

    private static void compare(
            long pgno, byte[] theirs, byte @Nullable [] ours, Set<Long> known, Tally telling, Tally weak) {
        boolean equal = Arrays.equals(theirs, ours);
        PageCells cells = PageCells.of(pgno, theirs);
        switch (cells.kind()) {
            case INNER -> {
                return;
            }
            case OTHER -> {
                if (!isZero(theirs)) {
                    note(telling, equal);
                }
                return;
            }
            default -> {
                // handled below
            }
        }
        boolean tells = !cells.telling().isEmpty();
        Set<Long> rows = tells ? cells.telling() : cells.all();
        Tally tally = tells ? telling : weak;
        if (rows.isEmpty() || equal) {
            tally.common += rows.isEmpty() ? 0 : 1;
            return;
        }
        PageCells there = ours == null ? null : PageCells.of(pgno, ours);
        int opposite =
                there == null || there.kind() != cells.kind() ? 0 : (tells ? there.telling() : there.all()).size();
        int least = opposite == 0 ? rows.size() : Math.min(rows.size(), opposite);
        long found = rows.stream().filter(known::contains).count();
        if (2 * found > least) {
            tally.common++;
            tally.changed++;
        } else {
            tally.foreign++;
            tally.contradicting += rows.size() > 1 && opposite > 1 ? 1 : 0;
        }
    }

    private static void note(Tally tally, boolean equal) {
        if (equal) {
            tally.common++;
        } else {
            tally.foreign++;
        }
    }

    private static boolean isZero(byte[] page) {
        for (byte value : page) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }
}
