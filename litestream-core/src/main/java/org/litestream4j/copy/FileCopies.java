package org.litestream4j.copy;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.ResumingInputStream;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.replica.TeeInputStream;

/**
 * Copies of a list of files. Several workers read and write at the same time; the files become visible in the order of the
 * list. A file that cannot be copied is omitted, or ends the work: then the files before it are still published, and none
 * after it. Thread-safe.
 */
final class FileCopies {

    /** Time after which a waiting worker asks again whether the copy was cancelled. */
    private static final long CANCEL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final ReplicaClient source;
    private final ReplicaClient target;
    private final CopyListener listener;
    private final StopSignal stop;

    /** Whether vanished and damaged files are omitted. */
    private final boolean omits;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private final Deque<LtxFileInfo> waiting;

    /** Files that a worker has taken and that are neither published nor omitted, in the order of the list. */
    @GuardedBy("lock")
    private final Deque<LtxFileInfo> inProgress = new ArrayDeque<>();

    @GuardedBy("lock")
    private final List<LtxFileInfo> published = new ArrayList<>();

    @GuardedBy("lock")
    private final List<LtxFileInfo> damaged = new ArrayList<>();

    @GuardedBy("lock")
    private boolean vanished;

    @GuardedBy("lock")
    private @Nullable Throwable failure;

    /** The first file in the order of the list that could not be copied and was not omitted. */
    @GuardedBy("lock")
    private @Nullable LtxFileInfo failed;

    /**
     * @param omits whether files that have vanished from the source, or are damaged there, are omitted; if false, they end
     *     the work
     */
    FileCopies(
            ReplicaClient source,
            ReplicaClient target,
            Collection<LtxFileInfo> files,
            boolean omits,
            CopyOptions options) {
        this.source = source;
        this.target = target;
        this.waiting = new ArrayDeque<>(files);
        this.omits = omits;
        this.listener = options.listener();
        this.stop = new StopSignal(options.cancelled());
    }

    /**
     * Copies the files.
     *
     * @throws LtxFormatException if a file is damaged; its source is {@code <level>/<name>}
     */
    void run(int concurrency) throws IOException {
        List<Thread> workers = new ArrayList<>();
        int count = Math.min(concurrency, remaining());
        for (int i = 1; i < count; i++) {
            Thread worker = new Thread(this::work, "litestream-copy-" + i);
            worker.setDaemon(true);
            worker.start();
            workers.add(worker);
        }
        work();
        boolean interrupted = false;
        for (Thread worker : workers) {
            interrupted |= join(worker);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        throwFailure();
    }

    /** Waits for a worker, which ends soon after the stop signal, and returns whether this thread was interrupted. */
    private boolean join(Thread worker) {
        boolean interrupted = false;
        while (worker.isAlive()) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                interrupted = true;
                stop.stop();
            }
        }
        return interrupted;
    }

    private int remaining() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        for (LtxFileInfo file = take(); file != null; file = take()) {
            try {
                copyOrOmit(file);
            } catch (Throwable e) { // includes Error: it is rethrown to the caller of the copy
                fail(file, e);
            }
        }
    }

    private @Nullable LtxFileInfo take() {
        lock.lock();
        try {
            LtxFileInfo file = waiting.poll();
            if (file != null) {
                inProgress.add(file);
            }
            return file;
        } finally {
            lock.unlock();
        }
    }

    private void copyOrOmit(LtxFileInfo file) throws IOException {
        try {
            copy(file);
        } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
            omit(file, e, false);
        } catch (LtxFormatException e) {
            omit(file, e, true);
        }
    }

    private void copy(LtxFileInfo file) throws IOException {
        String label = file.level() + "/" + file.name();
        try (ResumingInputStream in = new ResumingInputStream(source, file, label, 0, file.size(), stop)) {
            in.connect();
            try (ReplicaUpload upload =
                    target.write(file.level(), file.name(), source.timestamp(file), in.databaseChecksum())) {
                try (LtxReader reader =
                        LtxReader.open(new TeeInputStream(in, upload, bytes -> {}), label, file.name())) {
                    while (reader.next()) {
                        check(file);
                    }
                }
                awaitTurn(file);
                published(file, upload.publish());
            }
        }
    }

    private void awaitTurn(LtxFileInfo file) throws IOException {
        lock.lock();
        try {
            while (!file.equals(inProgress.peek())) {
                check(file);
                changed.awaitNanos(CANCEL_NANOS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the copy was interrupted", e);
        } finally {
            lock.unlock();
        }
        check(file);
    }

    /** Ends the work on a file if all work was cancelled, or if a file before it has failed. */
    private void check(LtxFileInfo file) throws IOException {
        stop.check();
        lock.lock();
        try {
            if (failed != null && !isBefore(file, failed)) {
                throw new StopSignal.StoppedException();
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private boolean isBefore(LtxFileInfo file, LtxFileInfo other) {
        for (LtxFileInfo each : inProgress) {
            if (each.equals(file) || each.equals(other)) {
                return each.equals(file) && !file.equals(other);
            }
        }
        return false;
    }

    private void published(LtxFileInfo file, LtxFileInfo copy) {
        lock.lock();
        try {
            inProgress.remove(file);
            published.add(copy);
            changed.signalAll();
            listener.onCopied(copy);
        } finally {
            lock.unlock();
        }
    }

    private void omit(LtxFileInfo file, IOException reason, boolean isDamaged) throws IOException {
        if (!omits) {
            throw reason;
        }
        lock.lock();
        try {
            inProgress.remove(file);
            if (isDamaged) {
                damaged.add(file);
            } else {
                vanished = true;
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Keeps the file among those in progress, so that none after it is published. */
    private void fail(LtxFileInfo file, Throwable e) {
        lock.lock();
        try {
            if (failure == null) {
                failure = e;
            }
            if (failed == null || isBefore(file, failed)) {
                failed = file;
            }
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void throwFailure() throws IOException {
        Throwable first;
        lock.lock();
        try {
            first = failure;
        } finally {
            lock.unlock();
        }
        if (first instanceof IOException e) {
            throw e;
        }
        if (first instanceof RuntimeException e) {
            throw e;
        }
        if (first instanceof Error e) {
            throw e;
        }
    }

    /** Returns the files that were published at the target. */
    List<LtxFileInfo> published() {
        lock.lock();
        try {
            return List.copyOf(published);
        } finally {
            lock.unlock();
        }
    }

    /** Returns the omitted files whose content is damaged. */
    List<LtxFileInfo> damaged() {
        lock.lock();
        try {
            return List.copyOf(damaged);
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether files have vanished, so that the source must be listed again. */
    boolean hasVanished() {
        lock.lock();
        try {
            return vanished;
        } finally {
            lock.unlock();
        }
    }
}
