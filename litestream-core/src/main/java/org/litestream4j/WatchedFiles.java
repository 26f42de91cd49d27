package org.litestream4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A database file, its WAL and the lock of its local state as they were at the last check, which opens none of them. Confined to
 * the watch.
 */
final class WatchedFiles {

    private final Path database;
    private final Path wal;
    private final Path lock;
    private FileState lockSeen = FileState.NONE;
    private FileState databaseSeen = FileState.NONE;
    private FileState walSeen = FileState.NONE;

    /** @param metaPath folder of the local state */
    WatchedFiles(Path database, Path metaPath) {
        this.database = database;
        this.lock = metaPath.resolve("lock");
        this.wal = database.resolveSibling(database.getFileName() + "-wal");
    }

    /** Whether a file was written, replaced or deleted since this was asked last. */
    boolean haveChanged() throws IOException {
        FileState walNow = FileState.of(wal);
        FileState databaseNow = FileState.of(database);
        FileState lockNow = FileState.of(lock);
        boolean changed = !walNow.equals(walSeen) || !databaseNow.equals(databaseSeen) || !lockNow.equals(lockSeen);
        lockSeen = lockNow;
        walSeen = walNow;
        databaseSeen = databaseNow;
        return changed;
    }

    /** Nothing of a file that is not there. */
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
