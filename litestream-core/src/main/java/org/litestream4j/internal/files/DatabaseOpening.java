package org.litestream4j.internal.files;

import java.io.IOException;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Prevents SQLite from opening a database while a descriptor of it is being closed. Closing the last descriptor is
 * harmless, but a connection opened between counting the descriptors and closing one would lose its locks. Only
 * connections opened through this class are protected: those of the engine and of wrapped DataSources. Thread-safe.
 */
public final class DatabaseOpening {

    /** Longest wait in milliseconds; if an open takes longer, unused descriptors stay open until the next attempt. */
    private static final long MAX_WAIT_MILLIS = 1_000;

    private static final ReadWriteLock LOCK = new ReentrantReadWriteLock();

    private DatabaseOpening() {}

    /** Opens a connection. */
    @FunctionalInterface
    public interface Opener<T> {
        T open() throws SQLException;
    }

    /** Closes descriptors. */
    @FunctionalInterface
    public interface Closer {
        void close() throws IOException;
    }

    /** Opens a connection while no descriptor of a database file is being closed. */
    public static <T> T open(Opener<T> opener) throws SQLException {
        try {
            NativeLibrary.require();
        } catch (IOException e) {
            throw new SQLException(e.getMessage(), e);
        }
        LOCK.readLock().lock();
        try {
            return opener.open();
        } finally {
            LOCK.readLock().unlock();
        }
    }

    /** Closes descriptors while no connection is being opened; does nothing if that is not possible within a second. */
    public static void close(Closer closer) throws IOException {
        boolean locked = false;
        try {
            locked = LOCK.writeLock().tryLock(MAX_WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (locked) {
            try {
                closer.close();
            } finally {
                LOCK.writeLock().unlock();
            }
        }
    }
}
