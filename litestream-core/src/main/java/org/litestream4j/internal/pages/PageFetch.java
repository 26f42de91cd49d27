package org.litestream4j.internal.pages;

import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.replica.OpenedFile;

/**
 * One range of one file on its way. Each page is available as soon as it has arrived; after a failure, reading goes on at
 * the next page. Thread-safe.
 */
final class PageFetch {

    /** Number of pages after which waiting readers are woken. */
    private static final int PAGES_PER_WAKE_UP = 8;

    private final ReplicaFile file;
    private final int[] entries;
    private final byte[] @Nullable [] pages;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition progress = lock.newCondition();

    /** Number of pages that have arrived; written by one thread. */
    private volatile int arrived;

    private volatile @Nullable Throwable failure;

    private final AtomicBoolean begun = new AtomicBoolean();
    private final AtomicBoolean urgent = new AtomicBoolean();
    private final boolean ahead;

    /**
     * @param entries entries to read, ascending; bytes between them are read, but not kept
     * @param ahead whether no reader waits for it yet
     */
    PageFetch(ReplicaFile file, int[] entries, boolean ahead) {
        this.file = file;
        this.entries = entries;
        this.ahead = ahead;
        pages = new byte[entries.length][];
    }

    ReplicaFile file() {
        return file;
    }

    int[] entries() {
        return entries;
    }

    /** Returns whether no reader waited for it when it was created. */
    boolean isAhead() {
        return ahead;
    }

    /** Returns true to the only caller that may run it. */
    boolean begin() {
        return begun.compareAndSet(false, true);
    }

    /** Returns true to the first caller that needs it at once, unless it has begun. */
    boolean raise() {
        return !begun.get() && urgent.compareAndSet(false, true);
    }

    boolean hasFailed() {
        return failure != null;
    }

    /** Makes those who wait fail. */
    void fail(Throwable cause) {
        failure = cause;
        wake();
    }

    /** Receives each page as it arrives. */
    @FunctionalInterface
    interface Sink {
        void accept(ReplicaFile file, int entry, byte[] page);
    }

    /** Reads the range, and passes the result or the failure to the waiting readers. */
    void run(ReadOnlyReplica replica, Retries retries, Sink sink) {
        try {
            retries.until(retries.deadline(), file.label(), () -> {
                try {
                    return read(replica, retries, sink);
                } catch (LtxFormatException e) {
                    return read(replica, retries, sink); // the error may have come up on the way
                }
            });
        } catch (Throwable e) { // a reader must learn of every failure
            failure = e;
        } finally {
            wake();
        }
    }

    private boolean read(ReadOnlyReplica replica, Retries retries, Sink sink) throws IOException {
        long offset = file.index().offset(entries[arrived]);
        long length = file.end(entries[entries.length - 1]) - offset;
        try (OpenedFile opened =
                replica.openFile(file.info().level(), file.info().name(), offset, length)) {
            file.requireVersion(opened.version());
            FrameStream frames = new FrameStream(file, opened, offset, length);
            for (int i = arrived; i < entries.length; i++) {
                byte[] page = frames.read(entries[i]);
                sink.accept(file, entries[i], page);
                pages[i] = page;
                arrived = i + 1;
                if ((i + 1) % PAGES_PER_WAKE_UP == 0 || i == 0) {
                    wake();
                    retries.checkOpen();
                }
            }
        }
        return true;
    }

    private void wake() {
        lock.lock();
        try {
            progress.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for a page. An interrupt does not end the wait.
     *
     * @return null if the page had not arrived at the deadline
     * @throws IOException the failure of the range
     */
    byte @Nullable [] await(int entry, long deadline) throws IOException {
        int at = Arrays.binarySearch(entries, entry);
        boolean interrupted = false;
        long left = deadline - System.nanoTime();
        lock.lock();
        try {
            while (arrived <= at) {
                Throwable failed = failure;
                if (failed != null) {
                    throw failed instanceof IOException e
                            ? e
                            : new IOException(file.label() + " could not be read: " + failed, failed);
                }
                if (left <= 0) {
                    return null;
                }
                try {
                    left = progress.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                    left = deadline - System.nanoTime();
                }
            }
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return pages[at];
    }
}
