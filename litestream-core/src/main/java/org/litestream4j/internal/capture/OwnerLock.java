package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;

/** Lock on {@code <meta>/lock}. Its holder, one {@link Capture} of one process, owns the local state of a database. */
final class OwnerLock implements Closeable {

    /**
     * Prefix of the system properties that mark the locks held by this process. All class loaders of a process share
     * these properties and its locks; a development server with restarts has two class loaders. The mark is checked
     * before the lock file is opened, because closing any other channel to the file would drop the lock. It identifies
     * the file by device and inode, because bind mounts and links give the file several paths.
     */
    private static final String CLAIM_PREFIX = "org.litestream4j.held:";

    /** Value of a mark whose owner was closed while busy. */
    private static final String LEFT_OPEN = "left open";

    /**
     * Channels to lock files that this process has locked without a mark, by mark. They stay open, because closing one
     * would drop the lock. Guarded by itself.
     */
    private static final Map<String, FileChannel> KEPT = new HashMap<>();

    private final Path path;
    private @Nullable FileChannel channel;
    private volatile @Nullable String held;

    OwnerLock(Path metaPath) {
        this.path = metaPath.resolve("lock");
    }

    /** Acquires the lock if it is free. Returns whether this object holds it. */
    boolean tryAcquire() throws IOException {
        if (channel != null) {
            return true;
        }
        PrivateFiles.createDirectories(requireNonNull(path.getParent()));
        try {
            PrivateFiles.createFile(path);
        } catch (FileAlreadyExistsException e) {
            // left by an earlier run
        }
        String mark = mark();
        Properties marks = System.getProperties();
        synchronized (marks) {
            if (!marks.containsKey(mark)) {
                channel = lock(path, mark);
            }
            if (channel != null) {
                held = mark;
                marks.put(mark, "");
            }
        }
        return channel != null;
    }

    /** Returns whether any process holds the lock. Writes nothing and needs only read permission. */
    boolean isTaken() throws IOException {
        if (!Files.exists(path)) {
            return false;
        }
        String mark = mark();
        Properties marks = System.getProperties();
        synchronized (marks) {
            synchronized (KEPT) {
                return marks.containsKey(mark) || KEPT.containsKey(mark) || isLocked(path, mark);
            }
        }
    }

    private static boolean isLocked(Path path, String mark) throws IOException {
        FileChannel opened = FileChannel.open(path, StandardOpenOption.READ);
        FileLock lock = null;
        boolean ours = false;
        try {
            lock = opened.tryLock(0, Long.MAX_VALUE, true);
        } catch (OverlappingFileLockException e) {
            ours = true;
            KEPT.put(mark, opened);
        } finally {
            if (!ours) {
                opened.close();
            }
        }
        return lock == null;
    }

    private String mark() throws IOException {
        return CLAIM_PREFIX + DatabaseFile.keyOf(path);
    }

    private static @Nullable FileChannel lock(Path path, String mark) throws IOException {
        synchronized (KEPT) {
            FileChannel kept = KEPT.remove(mark);
            FileChannel opened = kept != null ? kept : FileChannel.open(path, StandardOpenOption.WRITE);
            FileLock lock = null;
            boolean ours = false;
            try {
                lock = opened.tryLock();
            } catch (OverlappingFileLockException e) {
                ours = true;
                KEPT.put(mark, opened);
            } finally {
                if (lock == null && !ours) {
                    opened.close();
                }
            }
            return lock == null ? null : opened;
        }
    }

    /** Returns whether the locked file was deleted or replaced, so that the lock no longer excludes other processes. */
    boolean isLost() throws IOException {
        String mark = held;
        if (mark == null) {
            return false;
        }
        try {
            return !mark.equals(mark());
        } catch (NoSuchFileException e) {
            return true;
        }
    }

    /** Marks the lock for other engines of this process: its owner is closed but still busy. Thread-safe. */
    void leaveOpen() {
        String mark = held;
        if (mark != null) {
            System.getProperties().replace(mark, LEFT_OPEN);
        }
    }

    /** Returns whether an owner of this process holds the lock although it was closed. */
    boolean isLeftOpen() throws IOException {
        try {
            return LEFT_OPEN.equals(System.getProperties().get(mark()));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        FileChannel closing = channel;
        String mark = held;
        channel = null;
        held = null;
        if (closing != null && mark != null) {
            Properties marks = System.getProperties();
            synchronized (marks) {
                closing.close();
                marks.remove(mark);
            }
        }
    }
}
