package org.litestream4j.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One process, and in it one {@link Capture}, owns the local state of a database: a lock on {@code <meta>/lock}. */
final class OwnerLock implements Closeable {

    /**
     * Locks that this process holds. Asked before a lock file is opened: the lock belongs to the process, and closing any
     * other channel to the file would drop it.
     */
    private static final Set<Path> HELD = new HashSet<>(); // guarded by itself

    private final Path path;
    private @Nullable FileChannel channel;
    private @Nullable Path held;

    OwnerLock(Path metaPath) {
        this.path = metaPath.resolve("lock");
    }

    /** Whether the lock is ours, taken now if it was free. */
    boolean tryAcquire() throws IOException {
        if (channel != null) {
            return true;
        }
        Files.createDirectories(path.getParent());
        Path real = path.getParent().toRealPath().resolve(path.getFileName());
        synchronized (HELD) {
            if (HELD.contains(real)) {
                return false;
            }
            channel = lock(path);
            if (channel != null) {
                held = real;
                HELD.add(real);
            }
        }
        return channel != null;
    }

    private static @Nullable FileChannel lock(Path path) throws IOException {
        FileChannel opened = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = opened.tryLock();
        } catch (OverlappingFileLockException e) {
            // another class loader's, in this process
        } finally {
            if (lock == null) {
                opened.close();
            }
        }
        return lock == null ? null : opened;
    }

    @Override
    public void close() throws IOException {
        FileChannel closing = channel;
        channel = null;
        if (closing != null) {
            synchronized (HELD) {
                closing.close();
                HELD.remove(held);
            }
        }
    }
}
