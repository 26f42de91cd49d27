package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.pages.HydrationStatus.Phase;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the whole database into a local file in the background, and keeps it near the newest state. Reads take their pages
 * from it as soon as these are there. Thread-safe.
 */
final class Hydration {

    private static final Logger log = LoggerFactory.getLogger(Hydration.class);

    private static final long CHECK_MILLIS = 1_000;

    private static final long FIRST_PAUSE_MILLIS = 1_000;

    private static final long MAX_PAUSE_MILLIS = 300_000;

    /** Other files have taken the place of those that were deleted. */
    private static final long MAX_PAUSE_AFTER_DELETION_MILLIS = 10_000;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private volatile @Nullable LocalImage image;
    private volatile HydrationStatus status = new HydrationStatus(Phase.OFF, 0, 0, null);
    private @Nullable Thread thread;

    private @Nullable LocalCopy copy;

    HydrationStatus status() {
        return status;
    }

    /** Copies bytes of a page, if they are local; returns whether they are. */
    boolean copy(PageLocation place, long pgno, int within, int count, ByteBuffer target) {
        LocalImage now = image;
        if (now == null || !now.holds(place, pgno)) {
            return false;
        }
        int position = target.position();
        try {
            now.copy(pgno, within, count, target);
            return true;
        } catch (InternalError e) { // the file was cut short, or its disk failed
            target.position(position);
            image = null;
            log.warn("hydrated file cannot be read any more, pages come from the replica: {}", e.toString());
            return false;
        }
    }

    /** Starts the work; called once. */
    synchronized void start(NewestState newest, LocalCopy local) {
        copy = local;
        Thread worker = new Thread(() -> run(newest, local), "litestream-pages-hydrate");
        worker.setDaemon(true);
        worker.start();
        thread = worker;
    }

    boolean isStopped() {
        return stopped.getCount() == 0;
    }

    private void run(NewestState newest, LocalCopy local) {
        long pause = FIRST_PAUSE_MILLIS;
        boolean resumed = false;
        while (!isStopped()) {
            try {
                LocalImage now = image;
                if (now == null && !resumed) {
                    status = new HydrationStatus(Phase.VERIFYING, 0, 0, status.problem());
                    image = local.resume(this::report);
                    resumed = true;
                } else if (now == null || !now.isComplete() || !now.state().sharesFileWith(newest.state())) {
                    status = new HydrationStatus(Phase.FETCHING, status.bytes(), status.totalBytes(), status.problem());
                    image = fetched(newest, local);
                } else {
                    image = advanced(newest, local, now);
                }
                if (image != null && image.isComplete()) {
                    status = new HydrationStatus(Phase.DONE, status.totalBytes(), status.totalBytes(), null);
                    pause = FIRST_PAUSE_MILLIS;
                    pause(CHECK_MILLIS);
                }
            } catch (IOException | RuntimeException | Error e) {
                if (isStopped()) {
                    return;
                }
                resumed |= !isTransient(e);
                if (e instanceof InternalError) { // the mapped file was cut short, or its disk failed
                    image = null;
                }
                log.warn("database cannot be hydrated; tried again in {} ms: {}", pause, e.toString());
                LocalImage last = image; // still right
                Phase phase = last == null || !last.isComplete() ? Phase.FAILED : Phase.DONE;
                status =
                        new HydrationStatus(phase, status.bytes(), status.totalBytes(), String.valueOf(e.getMessage()));
                pause(pause);
                boolean replaced =
                        e instanceof ReplicaFileNotFoundException || e instanceof ReplicaFileChangedException;
                pause = Math.min(2 * pause, replaced ? MAX_PAUSE_AFTER_DELETION_MILLIS : MAX_PAUSE_MILLIS);
            }
        }
    }

    /** Returns whether the copy of an earlier run may be right although it could not be verified now. */
    private static boolean isTransient(Throwable e) {
        return e instanceof ReplicaUnavailableException
                || e instanceof ReplicaAccessException
                || e instanceof ReplicaFileNotFoundException
                || e instanceof ReplicaFileChangedException;
    }

    private LocalImage fetched(NewestState newest, LocalCopy local) throws IOException {
        State state = newest.state();
        try {
            return local.fetch(state, partly -> image = partly, this::report);
        } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
            newest.findAgain(state, e);
            throw e;
        }
    }

    private static LocalImage advanced(NewestState newest, LocalCopy local, LocalImage present) throws IOException {
        State state = newest.state();
        try {
            return local.advance(present, state);
        } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
            newest.findAgain(state, e);
            return present;
        }
    }

    private void report(long bytes, long totalBytes) {
        status = new HydrationStatus(status.phase(), bytes, totalBytes, status.problem());
    }

    private void pause(long millis) {
        try {
            if (stopped.await(millis, TimeUnit.MILLISECONDS)) {
                log.debug("hydration ends");
            }
        } catch (InterruptedException e) {
            log.debug("ignored an interrupt of the hydration");
        }
    }

    synchronized void close(Duration time) {
        stopped.countDown();
        Thread worker = thread;
        if (worker != null) {
            try {
                worker.join(time.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        image = null;
        if (copy != null) {
            copy.close();
        }
    }
}
