package org.litestream4j.internal.pages;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxPageIndex;
import org.litestream4j.replica.LtxFileInfo;

/** The files of the replica whose page indexes are known, as long as a state uses them. Thread-safe. */
final class FileTable {

    private static final int PRUNE_SIZE = 256;

    /** Number of files whose parts are requested, and kept in memory, at the same time. */
    private static final int WINDOW = 32;

    private final FileParts parts;
    private final StoredIndexes stored;
    private final PageFetcher fetcher;
    private final FetchWorkers workers;
    private final long cacheSize;
    private final AtomicInteger ids = new AtomicInteger();
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<LtxFileInfo, WeakReference<ReplicaFile>> known = new HashMap<>();

    FileTable(FileParts parts, StoredIndexes stored, PageFetcher fetcher, FetchWorkers workers, long cacheSize) {
        this.parts = parts;
        this.stored = stored;
        this.fetcher = fetcher;
        this.workers = workers;
        this.cacheSize = cacheSize;
    }

    /** Whether the beginnings and ends of files are kept for the next opening. */
    enum Keep {
        STORE,
        /** Files that will be merged soon. */
        DO_NOT_STORE
    }

    /**
     * Returns files with their indexes, reading what is not known.
     *
     * @throws LtxFormatException if a file is damaged
     */
    List<ReplicaFile> load(List<LtxFileInfo> files, Keep keep, long deadline) throws IOException {
        List<ReplicaFile> loaded = new ArrayList<>();
        for (int from = 0; from < files.size(); from += WINDOW) {
            List<LtxFileInfo> window = files.subList(from, Math.min(files.size(), from + WINDOW));
            loaded.addAll(loadAtOnce(window, keep, deadline));
        }
        return loaded;
    }

    private List<ReplicaFile> loadAtOnce(List<LtxFileInfo> files, Keep keep, long deadline) throws IOException {
        @Nullable ReplicaFile[] found = new ReplicaFile[files.size()];
        Map<LtxFileInfo, FileParts.Pending> pending = new HashMap<>();
        for (int i = 0; i < found.length; i++) {
            LtxFileInfo file = files.get(i);
            ReplicaFile there = find(file);
            found[i] = there == null ? fromDisk(file) : there;
            if (found[i] == null) {
                pending.put(file, parts.begin(file, deadline));
            }
        }
        List<ReplicaFile> loaded = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            LtxFileInfo file = files.get(i);
            ReplicaFile there = found[i];
            if (there == null) {
                IndexParts read = parts.finish(requireNonNull(pending.get(file)), deadline);
                there = make(file, read);
                if (keep == Keep.STORE) {
                    stored.store(file, read);
                }
            }
            loaded.add(there);
        }
        return loaded;
    }

    private @Nullable ReplicaFile find(LtxFileInfo file) {
        lock.lock();
        try {
            WeakReference<ReplicaFile> reference = known.get(file);
            return reference == null ? null : reference.get();
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether a file was not forgotten. */
    boolean isKnown(ReplicaFile file) {
        return file.equals(find(file.info()));
    }

    /** Forgets a file that was found to have other content now. */
    void forget(ReplicaFile file) {
        lock.lock();
        try {
            known.remove(file.info());
        } finally {
            lock.unlock();
        }
        stored.forget(file.info());
    }

    private @Nullable ReplicaFile fromDisk(LtxFileInfo file) {
        IndexParts found = stored.find(file);
        try {
            return found == null ? null : make(file, found);
        } catch (LtxFormatException e) {
            stored.forget(file);
            return null;
        }
    }

    /** Makes a file of its parts, verifies what can be verified and puts the pages that came with them into the cache. */
    private ReplicaFile make(LtxFileInfo info, IndexParts read) throws LtxFormatException {
        String label = FileParts.label(info);
        boolean whole = read.isWhole();
        byte[] end = whole ? read.head() : read.tail();
        LtxHeader header = LtxHeader.parse(read.head(), label);
        if (!header.fileName().equals(info.name())) {
            throw new LtxFormatException(label, 0, "file name", "the header has the TXIDs of " + header.fileName());
        }
        LtxPageIndex index = LtxPageIndex.parse(end, info.size(), header, label);
        ReplicaFile file = new ReplicaFile(
                ids.incrementAndGet(), info, label, read.version(), read.databaseChecksum(), header, index);
        FileParts.decode(file, read.head(), whole, cacheSize / 4).forEach(fetcher::keep);
        lock.lock();
        try {
            if (ids.get() % PRUNE_SIZE == 0) {
                known.values().removeIf(reference -> reference.get() == null);
            }
            known.put(info, new WeakReference<>(file));
        } finally {
            lock.unlock();
        }
        return file;
    }

    /** Removes indexes that were not used for long from the disk. */
    void prune() {
        workers.execute(FetchWorkers.Urgency.POSSIBLE, stored::prune);
    }
}
