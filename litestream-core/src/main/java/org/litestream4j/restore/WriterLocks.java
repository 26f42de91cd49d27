package org.litestream4j.restore;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The locks of a writer of a database in rollback mode, as taken by SQLite on Unix (sqlite.org/lockingv3.html).
 * RESERVED keeps other writers out, but not readers; PENDING keeps new readers out; EXCLUSIVE waits for active readers.
 * Not thread-safe.
 */
final class WriterLocks implements Closeable {

    private static final long PENDING = 0x4000_0000L;
    private static final long RESERVED = PENDING + 1;
    private static final long SHARED = PENDING + 2;
    private static final long SHARED_SIZE = 510;

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final FileChannel channel;
    private @Nullable FileLock reserved;
    private @Nullable FileLock pending;
    private @Nullable FileLock exclusive;

    /** @param channel channel of the database, writable; the file must not be open elsewhere in this process */
    WriterLocks(FileChannel channel) {
        this.channel = channel;
    }

    /** Acquires RESERVED and returns whether that succeeded within the timeout. */
    boolean reserve(Duration timeout, BooleanSupplier cancelled) throws IOException {
        reserved = acquire(RESERVED, 1, System.nanoTime() + timeout.toNanos(), cancelled);
        return reserved != null;
    }

    /**
     * Waits until no reader is left and returns whether that succeeded within the timeout. If not, all locks except
     * RESERVED are released.
     */
    boolean excludeReaders(Duration timeout, BooleanSupplier cancelled) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        pending = acquire(PENDING, 1, deadline, cancelled);
        if (pending != null) {
            exclusive = acquire(SHARED, SHARED_SIZE, deadline, cancelled);
        }
        if (exclusive == null) {
            admitReaders();
        }
        return exclusive != null;
    }

    void admitReaders() throws IOException {
        exclusive = release(exclusive);
        pending = release(pending);
    }

    private @Nullable FileLock acquire(long position, long size, long deadline, BooleanSupplier cancelled)
            throws IOException {
        while (true) {
            FileLock lock;
            try {
                lock = channel.tryLock(position, size, false);
            } catch (OverlappingFileLockException e) {
                throw new IllegalStateException("this process has the database open otherwise", e);
            }
            if (lock != null || System.nanoTime() - deadline >= 0 || cancelled.getAsBoolean()) {
                return lock;
            }
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    private static @Nullable FileLock release(@Nullable FileLock lock) throws IOException {
        if (lock != null) {
            lock.release();
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        admitReaders();
        reserved = release(reserved);
    }
}
