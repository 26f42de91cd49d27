package org.litestream4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A database file and its WAL as they were at the last look, which opens neither. Confined to the watch. */
final class WatchedFiles {

    private final Path database;
    private final Path wal;
    private FileState databaseSeen = FileState.NONE;
    private FileState walSeen = FileState.NONE;

    WatchedFiles(Path database) {
        this.database = database;
        this.wal = database.resolveSibling(database.getFileName() + "-wal");
    }

    /** Whether somebody wrote, or replaced a file, since this was asked last. */
    boolean haveChanged() throws IOException {
        FileState walNow = FileState.of(wal);
        FileState databaseNow = FileState.of(database);
        boolean changed = !walNow.equals(walSeen) || !databaseNow.equals(databaseSeen);
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
