package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.SqlitePaths;

/**
 * Metadata of a database file, its WAL and the lock of its local state at the last check, which opens no file. Confined
 * to the watch.
 */
final class WatchedFiles {

    /** Coarsest resolution of file times, with a margin; some file systems have a resolution of one or two seconds. */
    private static final long MAX_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(2_100);

    private final Path database;
    private final Path wal;
    private final Path lock;
    private FileState lockSeen = FileState.NONE;
    private FileState databaseSeen = FileState.NONE;
    private FileState walSeen = FileState.NONE;

    /** Time at which the last change was seen; while {@code unsettled}, a later write may be undetectable. */
    private long unsettledSince;

    private boolean unsettled;

    /** @param metaPath folder of the local state */
    WatchedFiles(Path database, Path metaPath) {
        this.database = database;
        this.lock = metaPath.resolve("lock");
        this.wal = SqlitePaths.wal(database);
    }

    /**
     * Returns whether a file was, or may have been, written, replaced or deleted since the last call. File times are
     * coarse: a second write within the same tick leaves no trace. Therefore, a change is reported again until a tick
     * has certainly passed.
     */
    boolean haveChanged() throws IOException {
        FileState walNow = FileState.of(wal);
        FileState databaseNow = FileState.of(database);
        FileState lockNow = FileState.of(lock);
        boolean changed = !walNow.equals(walSeen) || !databaseNow.equals(databaseSeen) || !lockNow.equals(lockSeen);
        lockSeen = lockNow;
        walSeen = walNow;
        databaseSeen = databaseNow;
        long now = System.nanoTime();
        if (changed) {
            unsettledSince = now;
            unsettled = true;
            return true;
        }
        boolean mayHide = unsettled;
        unsettled &= now - unsettledSince <= MAX_TICK_NANOS;
        return mayHide;
    }

    /** Metadata of a file; empty if the file does not exist. */
    private record FileState(@Nullable Object key, long size, long modified) {

        static final FileState NONE = new FileState(null, 0, 0);

        static FileState of(Path file) throws IOException {
            try {
                var attributes = Files.readAttributes(file, BasicFileAttributes.class);
                long modified = attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS);
                return new FileState(attributes.fileKey(), attributes.size(), modified);
            } catch (NoSuchFileException e) {
                return NONE;
            }
        }
    }
}
