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
 * The only channel of this process to a database file. Closing any descriptor of the file drops all locks that SQLite
 * holds on it in this process, because POSIX advisory locks belong to the process. The channel therefore stays open
 * after its last user, until this process has no other descriptor of the file. If that cannot be determined, it stays
 * open for the next user. Threads that read through it must never be interrupted, because an interrupt closes the
 * channel.
 *
 * <p>Thread-safe.
 */
final class DatabaseFile implements Closeable {

    /**
     * Folders that list the descriptors of the process on Linux and macOS. On other systems they are missing or
     * incomplete.
     */
    private static final List<Path> DESCRIPTORS = List.of(Path.of("/proc/self/fd"), Path.of("/dev/fd"));

    /** Open files by file key (device and inode). */
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

    /** Opens the file, or uses the channel that is already open. */
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
     * Reads until the buffer is full or the file ends.
     *
     * @return number of bytes read; less than requested only at the end of the file
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

    /**
     * Forces the writes of checkpoints to the disk. Does nothing on systems where a read-only channel cannot do that.
     */
    void force() throws IOException {
        if (hasPosixLocks()) {
            channel.force(false);
        }
    }

    /** Returns whether closing a descriptor drops other locks of the process, as on Unix but not on Windows. */
    private boolean hasPosixLocks() {
        return path.getFileSystem().supportedFileAttributeViews().contains("unix");
    }

    /**
     * Releases the file; {@link #closeUnused} closes the channel later. Call it after closing the SQLite connections of
     * the caller.
     */
    @Override
    public void close() {
        synchronized (OPEN) {
            users = Math.max(0, users - 1);
        }
    }

    /**
     * Closes the channels without users that are the only open descriptor of their file in this process. Lists all
     * descriptors once for all files, so that closing many databases stays fast.
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

    /** Returns the number of open descriptors of each file in this process; empty if that cannot be determined. */
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
            return Map.of(); // unknown: the channels stay open
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

    /**
     * Returns whether code of this process other than this class has the file open; false if that cannot be determined.
     */
    static boolean isOpenElsewhere(Object key) {
        synchronized (OPEN) {
            DatabaseFile own = OPEN.get(key);
            int ours = own != null && own.channel.isOpen() ? 1 : 0;
            return countDescriptors(Set.of(key)).getOrDefault(key, 0) > ours;
        }
    }

    /** Returns the device and inode of a file; its real path if the file system has none. */
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
