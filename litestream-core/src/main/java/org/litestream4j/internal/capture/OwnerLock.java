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

/** One process, and in it one {@link Capture}, owns the local state of a database: a lock on {@code <meta>/lock}. */
final class OwnerLock implements Closeable {

    /**
     * Marks the locks that this process holds, among the system properties: other class loaders (a restarting development
     * server has two) share the process, its locks and these. Checked before a lock file is opened, as closing any other channel
     * to the file would drop the lock. A mark names the file by device and inode: a bind mount or a link is another path to it.
     */
    private static final String HELD = "org.litestream4j.held:";

    /** Value of a mark whose owner was closed while it was busy. */
    private static final String LEFT_OPEN = "left open";

    /**
     * Channels to lock files that this process has locked without a mark, by mark. Closing one would drop the lock. Guarded by
     * itself.
     */
    private static final Map<String, FileChannel> KEPT = new HashMap<>();

    private final Path path;
    private @Nullable FileChannel channel;
    private volatile @Nullable String held;

    OwnerLock(Path metaPath) {
        this.path = metaPath.resolve("lock");
    }

    /** Whether the lock is ours, taken now if it was free. */
    boolean tryAcquire() throws IOException {
        if (channel != null) {
            return true;
        }
        PrivateFiles.createDirectories(requireNonNull(path.getParent()));
        try {
            PrivateFiles.createFile(path);
        } catch (FileAlreadyExistsException e) {
            // of an earlier run
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

    /** Whether somebody holds the lock, this process or another. Writes nothing, and needs the right to read only. */
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
        return HELD + DatabaseFile.keyOf(path);
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

    /** Whether we hold the lock of a file that was deleted or replaced: it keeps nobody away any more. */
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

    /** Tells others of this process that the owner was closed, but is busy for some time yet. Any thread. */
    void leaveOpen() {
        String mark = held;
        if (mark != null) {
            System.getProperties().replace(mark, LEFT_OPEN);
        }
    }

    /** Whether the lock is held by an owner of this process that was closed. */
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
