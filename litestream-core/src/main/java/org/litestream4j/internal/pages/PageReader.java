package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;

/** Reads the pages of states: from the hydrated file if they are there, else from the cache or the replica. Thread-safe. */
final class PageReader {

    /** Number of times that a state may be found again within one read. */
    private static final int MAX_PLANS = 4;

    private final PageFetcher fetcher;
    private final StateFinder states;
    private final Retries retries;
    private final Hydration hydration;

    PageReader(PageFetcher fetcher, StateFinder states, Retries retries, Hydration hydration) {
        this.fetcher = fetcher;
        this.states = states;
        this.retries = retries;
        this.hydration = hydration;
    }

    /** Reads bytes of a state, as {@link PinnedState#read}. */
    int read(StateFiles files, ReadAhead readAhead, long offset, ByteBuffer target) throws IOException {
        if (offset < 0) {
            throw new IllegalArgumentException("negative offset: " + offset);
        }
        retries.checkOpen();
        State state = files.state();
        long size = state.commit() * state.pageSize();
        long position = offset;
        while (target.hasRemaining() && position < size) {
            int within = (int) (position % state.pageSize());
            int count = Math.min(state.pageSize() - within, target.remaining());
            long pgno = 1 + position / state.pageSize();
            if (pgno == LockPage.pgno(state.pageSize())) {
                target.put(new byte[count]);
            } else {
                copy(files, readAhead, pgno, within, count, target);
            }
            position += count;
        }
        return (int) (position - Math.min(offset, position));
    }

    private void copy(StateFiles files, ReadAhead readAhead, long pgno, int within, int count, ByteBuffer target)
            throws IOException {
        byte[] first = pgno == 1 ? files.firstPage() : null;
        if (first != null) {
            target.put(first, within, count);
            return;
        }
        long deadline = retries.deadline();
        for (int attempt = 1; ; attempt++) {
            State state = files.state();
            PageLocation place = state.layers().find(pgno);
            if (place == null) {
                throw states.damaged(new LtxFormatException(
                        state.newest().label(),
                        0,
                        "pgno",
                        "the database has pages 1 to " + state.commit() + ", but page " + pgno
                                + " is in none of the files that lead there"));
            }
            if (hydration.copy(place, pgno, within, count, target)) {
                return;
            }
            try {
                readAhead.reading(state, pgno, place);
                byte[] page = fetcher.page(place, deadline);
                if (pgno == 1) {
                    files.keepFirstPage(page);
                }
                target.put(page, within, count);
                return;
            } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
                if (attempt == MAX_PLANS) {
                    throw e;
                }
                files.findAgain(state, e, deadline);
            } catch (LtxFormatException e) {
                throw states.damaged(e);
            }
        }
    }
}
