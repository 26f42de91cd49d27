package org.litestream4j.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** One process, and in it one {@link Capture}, owns the local state of a database: a lock on {@code <meta>/lock}. */
final class OwnerLock implements Closeable {

    private final Path path;
    private @Nullable FileChannel channel;

    OwnerLock(Path metaPath) {
        this.path = metaPath.resolve("lock");
    }

    /** Whether the lock is ours, taken now if it was free. */
    boolean tryAcquire() throws IOException {
        if (channel != null) {
            return true;
        }
        Files.createDirectories(path.getParent());
        FileChannel opened = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = opened.tryLock();
        } catch (OverlappingFileLockException e) {
            // another one in this process
        } finally {
            if (lock == null) {
                opened.close();
            }
        }
        channel = lock == null ? null : opened;
        return lock != null;
    }

    @Override
    public void close() throws IOException {
        FileChannel closing = channel;
        channel = null;
        if (closing != null) {
            closing.close();
        }
    }
}
