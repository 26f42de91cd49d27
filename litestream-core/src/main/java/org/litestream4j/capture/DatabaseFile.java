package org.litestream4j.capture;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * The one channel of this process to a database file. Closing any descriptor of the file drops every lock that SQLite holds
 * on it in this process (POSIX advisory locks belong to the process), so the channel outlives its users until no other
 * descriptor of the file is open here; where that cannot be told, it stays open and serves the next user. Threads that read
 * through it must never be interrupted: that would close it.
 *
 * <p>Thread-safe.
 */
final class DatabaseFile implements Closeable {

    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    /** By file key (device and inode). */
    private static final Map<Object, DatabaseFile> OPEN = new HashMap<>();

    private final Object key;
    private final Path path;
    private final FileChannel channel;
    private int users; // guarded by OPEN

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

    /** Call after the caller's own SQLite connections to the file were closed. */
    @Override
    public void close() throws IOException {
        synchronized (OPEN) {
            if (users > 0 && --users == 0 && lastDescriptor()) {
                OPEN.remove(key, this);
                channel.close();
            }
        }
    }

    /** Whether ours is the only open descriptor of the file in this process. */
    private boolean lastDescriptor() {
        if (!Files.isDirectory(DESCRIPTORS)) {
            return false;
        }
        int count = 0;
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : descriptors) {
                count += isOurs(descriptor) ? 1 : 0;
            }
        } catch (IOException | UncheckedIOException e) {
            return false; // unknown: keep it open
        }
        return count == 1;
    }

    private boolean isOurs(Path descriptor) {
        try {
            return key.equals(keyOf(descriptor));
        } catch (IOException e) {
            return false; // closed meanwhile, or not a file
        }
    }

    private static Object keyOf(Path path) throws IOException {
        Object key = Files.readAttributes(path, java.nio.file.attribute.BasicFileAttributes.class)
                .fileKey();
        return key != null ? key : path.toRealPath();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
