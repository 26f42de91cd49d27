package org.litestream4j.internal.pages;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.pages.FetchWorkers.Urgency;

/**
 * Recognizes the scans of one reader and fetches what they will read: pages in the order of a tree where its interior
 * pages were seen, else in the order of their numbers. What is fetched ahead doubles with each page that was expected,
 * and is nothing for pages that were not. Thread-safe.
 */
final class ReadAhead {

    /** Number of scans followed at the same time, as in a join. */
    private static final int SCANS = 8;

    private final PageFetcher fetcher;
    private final TreeHints tree;
    private final long bytes;

    @GuardedBy("this")
    private final Deque<PageScan> scans = new ArrayDeque<>();

    /** @param bytes largest number of bytes of pages ahead of a scan; 0 switches this off */
    ReadAhead(PageFetcher fetcher, TreeHints tree, long bytes) {
        this.fetcher = fetcher;
        this.tree = tree;
        this.bytes = bytes;
    }

    /** Called before a page is read. */
    synchronized void reading(State state, long pgno, PageLocation place) {
        int most = (int) Math.min(bytes / state.pageSize(), 1 << 16);
        if (most == 0) {
            return;
        }
        PageScan scan = find((int) pgno);
        if (scan == null) {
            scans.addFirst(new PageScan(tree, (int) pgno));
            if (scans.size() > SCANS) {
                scans.removeLast();
            }
            if (!fetcher.isHere(place)) {
                fetchInterior(state, (int) pgno);
            }
            return;
        }
        scan.extend(most, state.commit());
        begin(state, scan, place);
    }

    @GuardedBy("this")
    private @Nullable PageScan find(int pgno) {
        for (Iterator<PageScan> all = scans.iterator(); all.hasNext(); ) {
            PageScan scan = all.next();
            if (scan.advanceTo(pgno)) {
                all.remove();
                scans.addFirst(scan);
                return scan;
            }
        }
        return null;
    }

    @GuardedBy("this")
    private void begin(State state, PageScan scan, PageLocation place) {
        boolean waiting = !fetcher.isHere(place);
        int[] lacking = scan.lacking();
        boolean due = scan.isDue(state.pageSize()) && (waiting || fetcher.hasRoom());
        if (!waiting && !due && lacking.length == 0) {
            return;
        }
        List<PageLocation> wanted = new ArrayList<>();
        if (waiting) {
            wanted.add(place);
        }
        for (int pgno : lacking) {
            addUnlessHere(state, pgno, wanted);
        }
        if (due) {
            for (int pgno : scan.take()) {
                addUnlessHere(state, pgno, wanted);
            }
        }
        fetcher.begin(waiting ? Urgency.AWAITED : Urgency.EXPECTED, wanted);
    }

    /**
     * If interior pages are read in no order, as by queries for single rows, fetches others at their level: twice as many
     * each time, so that soon each row takes one request.
     */
    private void fetchInterior(State state, int pgno) {
        int[] others = tree.interiorBeside(pgno);
        if (others.length == 0 || !fetcher.hasMuchRoom()) {
            return;
        }
        List<PageLocation> wanted = new ArrayList<>();
        for (int other : others) {
            addUnlessHere(state, other, wanted);
        }
        fetcher.begin(Urgency.POSSIBLE, wanted);
    }

    private void addUnlessHere(State state, int number, List<PageLocation> wanted) {
        long pgno = Integer.toUnsignedLong(number);
        PageLocation place = pgno > state.commit() ? null : state.layers().find(pgno);
        if (place != null && !fetcher.learnIfHere(place)) {
            wanted.add(place);
        }
    }
}
