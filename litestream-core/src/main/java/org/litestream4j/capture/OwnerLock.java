package org.litestream4j.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** One process, and in it one {@link Capture}, owns the local state of a database: a lock on {@code <meta>/lock}. */
final class OwnerLock implements Closeable {

    /**
     * Marks the locks that this process holds, among the system properties: other class loaders (a restarting development
     * server has two) share the process, its locks and these. Asked before a lock file is opened, as closing any other channel to
     * the file would drop the lock.
     */
    private static final String HELD = "org.litestream4j.held:";

    private final Path path;
    private @Nullable FileChannel channel;
    private @Nullable String held;

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
        Properties marks = System.getProperties();
        synchronized (marks) {
            if (!marks.containsKey(HELD + real)) {
                channel = lock(path);
            }
            if (channel != null) {
                held = HELD + real;
                marks.put(held, "");
            }
        }
        return channel != null;
    }

    private static @Nullable FileChannel lock(Path path) throws IOException {
        FileChannel opened = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = opened.tryLock();
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
            Properties marks = System.getProperties();
            synchronized (marks) {
                closing.close();
                marks.remove(held);
            }
        }
    }
}
