package org.litestream4j.internal.capture;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.DatabaseOpening;

/**
 * The one channel of this process to a database file. Closing any descriptor of the file drops every lock that SQLite holds
 * on it in this process (POSIX advisory locks belong to the process), so the channel outlives its users until no other
 * descriptor of the file is open here; where that cannot be told, it stays open and serves the next user. Threads that read
 * through it must never be interrupted: that would close it.
 *
 * <p>Thread-safe.
 */
final class DatabaseFile implements Closeable {

    /** Linux, else macOS; elsewhere such a folder does not exist or does not list all. */
    private static final List<Path> DESCRIPTORS = List.of(Path.of("/proc/self/fd"), Path.of("/dev/fd"));

    /** By file key (device and inode). */
    private static final Map<Object, DatabaseFile> OPEN = new HashMap<>();

    private final Object key;
    private final Path path;
    private final FileChannel channel;

    @GuardedBy("OPEN")
    private int users;

    private DatabaseFile(Object key, Path path, FileChannel channel) {
        this.key = key;
        this.path = path;
        this.channel = channel;
    }

    /** Opens the file, or joins those who have it open already. */
    static DatabaseFile acquire(Path path) throws IOException {
        synchronized (OPEN) {
            Object key = keyOf(path);
            DatabaseFile file = OPEN.get(key);
            if (file == null || !file.channel.isOpen()) {
                file = new DatabaseFile(key, path, FileChannel.open(path, StandardOpenOption.READ));
                OPEN.put(key, file);
            }
            file.users++;
            return file;
        }
    }

    /**
     * Reads as much as there is.
     *
     * @return bytes read, less than asked for only at the end of the file
     */
    int read(ByteBuffer buffer, long position) throws IOException {
        int start = buffer.position();
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position() - start) < 0) {
                break;
            }
        }
        return buffer.position() - start;
    }

    long size() throws IOException {
        return channel.size();
    }

    /** Brings to the disk what checkpoints have written so far; does nothing where a channel for reading cannot do that. */
    void force() throws IOException {
        if (hasPosixLocks()) {
            channel.force(false);
        }
    }

    /** Whether closing a descriptor drops locks of others, as on Unix and not on Windows. */
    private boolean hasPosixLocks() {
        return path.getFileSystem().supportedFileAttributeViews().contains("unix");
    }

    /** Call after the caller's own SQLite connections to the file were closed; {@link #closeUnused} then closes the channel. */
    @Override
    public void close() {
        synchronized (OPEN) {
            users = Math.max(0, users - 1);
        }
    }

    /**
     * Closes the channels that nobody uses, where they are the only open descriptor of their file in this process. One look
     * at all descriptors for all files: closing a thousand databases must not look a thousand times.
     */
    static void closeUnused() throws IOException {
        DatabaseOpening.close(DatabaseFile::closeCounted);
    }

    private static void closeCounted() throws IOException {
        synchronized (OPEN) {
            Map<Object, DatabaseFile> unused = new HashMap<>();
            for (Map.Entry<Object, DatabaseFile> file : OPEN.entrySet()) {
                if (file.getValue().users == 0) {
                    unused.put(file.getKey(), file.getValue());
                }
            }
            if (unused.isEmpty()) {
                return;
            }
            Map<Object, Integer> descriptors = countDescriptors(unused.keySet());
            for (DatabaseFile file : unused.values()) {
                if (!file.hasPosixLocks() || descriptors.getOrDefault(file.key, 0) == 1) {
                    OPEN.remove(file.key, file);
                    file.channel.close();
                }
            }
        }
    }

    /** Open descriptors of each file in this process; empty where that cannot be told. */
    private static Map<Object, Integer> countDescriptors(Set<Object> keys) {
        Map<Object, Integer> counts = new HashMap<>();
        Optional<Path> folder = DESCRIPTORS.stream().filter(Files::isDirectory).findFirst();
        if (folder.isEmpty()) {
            return counts;
        }
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(folder.get())) {
            for (Path descriptor : descriptors) {
                Object key = keyOrNull(descriptor);
                if (key != null && keys.contains(key)) {
                    counts.merge(key, 1, Integer::sum);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            return Map.of(); // unknown: they stay open
        }
        return counts;
    }

    private static @Nullable Object keyOrNull(Path descriptor) {
        try {
            return keyOf(descriptor);
        } catch (IOException e) {
            return null; // closed meanwhile, or not a file
        }
    }

    /** Whether somebody in this process, beside this class, has a file open; false where that cannot be told. */
    static boolean isOpenElsewhere(Object key) {
        synchronized (OPEN) {
            DatabaseFile own = OPEN.get(key);
            int ours = own != null && own.channel.isOpen() ? 1 : 0;
            return countDescriptors(Set.of(key)).getOrDefault(key, 0) > ours;
        }
    }

    /** Device and inode, where the file system has them. */
    static Object keyOf(Path path) throws IOException {
        Object key = Files.readAttributes(path, java.nio.file.attribute.BasicFileAttributes.class)
                .fileKey();
        return key != null ? key : path.toRealPath();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
