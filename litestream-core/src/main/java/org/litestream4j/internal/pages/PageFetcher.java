package org.litestream4j.internal.pages;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.litestream4j.internal.pages.FetchWorkers.Urgency;
import org.litestream4j.ltx.LtxFormatException;

/**
 * Fetches pages that are not in the cache: neighbours with one request, several ranges at once, and no page twice at the
 * same time. Thread-safe.
 */
final class PageFetcher {

    /** Largest number of bytes between two wanted frames that are read over rather than asked for apart. */
    private static final long MAX_GAP_BYTES = 64 << 10;

    /** Largest number of pages between two wanted ones that are kept, too: often pages that lead to the others. */
    private static final int MAX_KEPT_GAP_PAGES = 2;

    /** Largest number of bytes of pages that one request brings. */
    private static final int MAX_RANGE_BYTES = 2 << 20;

    /** Bytes before and after a single page that come with it. */
    private static final long SURROUNDING_BYTES = 8 << 10;

    private final ReadOnlyReplica replica;
    private final PageCache cache;
    private final TreeHints tree;
    private final Retries retries;
    private final FetchWorkers workers;
    private final PageCounters counters;
    private final int rangeBytes;
    private final int mostAhead;

    /** Number of unfinished ranges without a waiting reader at their start. */
    private final AtomicInteger ahead = new AtomicInteger();

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<Long, PageFetch> inFlight = new HashMap<>();

    PageFetcher(
            ReadOnlyReplica replica,
            PageCache cache,
            TreeHints tree,
            Retries retries,
            FetchWorkers workers,
            PageCounters counters,
            PagesOptions options) {
        this.replica = replica;
        this.cache = cache;
        this.tree = tree;
        this.retries = retries;
        this.workers = workers;
        this.counters = counters;
        rangeBytes = (int) Math.min(MAX_RANGE_BYTES, Math.max(options.readAhead() / 4, 64 << 10));
        mostAhead = Math.max(1, options.parallelism());
    }

    /**
     * Returns a page.
     *
     * @throws ReplicaUnavailableException if it did not arrive in time
     */
    byte[] page(PageLocation place, long deadline) throws IOException {
        long key = place.key();
        byte[] cached = cache.get(key);
        if (cached != null) {
            counters.cacheHits.increment();
            return cached;
        }
        counters.cacheMisses.increment();
        boolean alone = false;
        while (true) {
            PageFetch fetch;
            lock.lock();
            try {
                cached = cache.get(key);
                if (cached != null) {
                    return cached;
                }
                fetch = inFlight.get(key);
                if (fetch == null || fetch.hasFailed()) {
                    fetch = new PageFetch(place.file(), alone ? new int[] {place.entry()} : around(place), false);
                    start(Urgency.AWAITED, fetch);
                } else if (fetch.raise()) {
                    enqueue(Urgency.AWAITED, fetch);
                }
            } finally {
                lock.unlock();
            }
            try {
                byte[] page = fetch.await(place.entry(), deadline);
                if (page == null) {
                    throw retries.unavailable(place.file().label(), new IOException("no answer"));
                }
                return page;
            } catch (ReplicaUnavailableException e) {
                if (deadline - System.nanoTime() <= 0) { // another reader's range may have begun earlier
                    throw e;
                }
                retries.checkOpen();
            } catch (LtxFormatException e) {
                if (fetch.entries().length == 1) {
                    throw e;
                }
                alone = true; // another page of the range may be the damaged one
            }
        }
    }

    /** Returns whether a page need not be fetched. */
    boolean isHere(PageLocation place) {
        return cache.contains(place.key());
    }

    /** Returns whether a page is in the cache, after its children, if any, were noted again. */
    boolean learnIfHere(PageLocation place) {
        byte[] cached = cache.get(place.key());
        if (cached != null) {
            tree.learn(place.file().index().pgno(place.entry()), cached);
        }
        return cached != null;
    }

    /** Returns whether more may be fetched ahead now. */
    boolean hasRoom() {
        return ahead.get() < mostAhead;
    }

    /** Returns whether pages that are only likely to be read may be fetched. */
    boolean hasMuchRoom() {
        return ahead.get() <= mostAhead / 4;
    }

    /** Begins to fetch pages that are neither in the cache nor on their way. */
    void begin(Urgency urgency, List<PageLocation> wanted) {
        List<PageLocation> places = new ArrayList<>(wanted);
        places.sort(Comparator.<PageLocation>comparingInt(place -> place.file().id())
                .thenComparingInt(PageLocation::entry));
        lock.lock();
        try {
            for (Iterator<PageLocation> all = places.iterator(); all.hasNext(); ) {
                PageLocation place = all.next();
                if (!isMissing(place.file(), place.entry())) {
                    all.remove();
                }
            }
            int from = 0;
            for (int i = 1; i <= places.size(); i++) {
                if (i == places.size()
                        || !belongTogether(places.get(from), places.get(i - 1), places.get(i), i - from)) {
                    ahead.incrementAndGet();
                    start(urgency, range(places.subList(from, i)));
                    from = i;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean belongTogether(PageLocation first, PageLocation last, PageLocation next, int count) {
        ReplicaFile file = first.file();
        return file.equals(next.file())
                && file.index().offset(next.entry()) - file.end(last.entry()) <= MAX_GAP_BYTES
                && file.end(next.entry()) - file.index().offset(first.entry()) <= 2L * rangeBytes
                && (long) (count + 1) * file.header().pageSize() <= rangeBytes + rangeBytes / 4;
    }

    @GuardedBy("lock")
    private PageFetch range(List<PageLocation> places) {
        ReplicaFile file = places.get(0).file();
        int[] entries = new int[places.size() * (1 + MAX_KEPT_GAP_PAGES)];
        int count = 0;
        int last = -1;
        for (PageLocation place : places) {
            if (last >= 0 && place.entry() - last - 1 <= MAX_KEPT_GAP_PAGES) {
                for (int between = last + 1; between < place.entry(); between++) {
                    if (!inFlight.containsKey(file.key(between)) && !cache.contains(file.key(between))) {
                        entries[count++] = between;
                    }
                }
            }
            last = place.entry();
            entries[count++] = last;
        }
        return new PageFetch(file, Arrays.copyOf(entries, count), true);
    }

    /** Returns the entries of a page and of those beside it in the file. */
    @GuardedBy("lock")
    private int[] around(PageLocation place) {
        ReplicaFile file = place.file();
        long start = file.index().offset(place.entry()) - SURROUNDING_BYTES;
        long end = file.end(place.entry()) + SURROUNDING_BYTES;
        int from = place.entry();
        while (from > 0 && file.index().offset(from - 1) >= start && isMissing(file, from - 1)) {
            from--;
        }
        int to = place.entry() + 1;
        while (to < file.index().size() && file.end(to) <= end && isMissing(file, to)) {
            to++;
        }
        int[] entries = new int[to - from];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = from + i;
        }
        return entries;
    }

    @GuardedBy("lock")
    private boolean isMissing(ReplicaFile file, int entry) {
        return !inFlight.containsKey(file.key(entry)) && !cache.contains(file.key(entry));
    }

    @GuardedBy("lock")
    private void start(Urgency urgency, PageFetch fetch) {
        for (int entry : fetch.entries()) {
            inFlight.put(fetch.file().key(entry), fetch);
        }
        try {
            enqueue(urgency, fetch);
        } catch (Throwable e) { // a thread could not be started
            if (fetch.begin()) {
                fetch.fail(e);
                end(fetch);
            }
            throw e;
        }
    }

    /** Lets a range be read by the first worker that comes to it; a range may be enqueued again with more urgency. */
    private void enqueue(Urgency urgency, PageFetch fetch) {
        if (urgency == Urgency.AWAITED) {
            fetch.raise();
        }
        workers.execute(urgency, () -> {
            if (fetch.begin()) {
                try {
                    fetch.run(replica, retries, this::keep);
                } finally {
                    end(fetch);
                }
            }
        });
    }

    /** Keeps a page that has arrived. */
    void keep(ReplicaFile file, int entry, byte[] page) {
        tree.learn(file.index().pgno(entry), page);
        cache.put(file.key(entry), page);
    }

    private void end(PageFetch fetch) {
        if (fetch.isAhead()) {
            ahead.decrementAndGet();
        }
        lock.lock();
        try {
            for (int entry : fetch.entries()) {
                inFlight.remove(fetch.file().key(entry), fetch);
            }
        } finally {
            lock.unlock();
        }
    }
}
