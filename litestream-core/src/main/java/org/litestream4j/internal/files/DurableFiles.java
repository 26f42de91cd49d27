package org.litestream4j.internal.files;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** Changes of files and names that survive a power cut. */
public final class DurableFiles {

    /** Windows cannot open a folder as a file. */
    private static final boolean CAN_FORCE_FOLDERS =
            !System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");

    private DurableFiles() {}

    /**
     * Writes or replaces a small private file: temporary name, fsync, rename, fsync of the folder. After a power cut the
     * old or the new content is there, whole.
     */
    public static void replace(Path path, byte[] content) throws IOException {
        Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
        try (FileChannel channel = PrivateFiles.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            write(channel, 0, content);
            channel.force(true);
        }
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        forceFolderOf(path);
    }

    /** Overwrites a part of a file that keeps its size. After a power cut that part may be torn. */
    public static void overwrite(Path path, long offset, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            write(channel, offset, content);
            channel.force(false);
        }
    }

    private static void write(FileChannel channel, long offset, byte[] content) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(content);
        while (buffer.hasRemaining()) {
            channel.write(buffer, offset + buffer.position());
        }
    }

    /** Deletes a file if it exists. */
    public static void delete(Path path) throws IOException {
        if (Files.deleteIfExists(path)) {
            forceFolderOf(path);
        }
    }

    /**
     * Makes created, moved and deleted names in a folder durable, where the platform has a way to do so. An interrupt
     * does not end it, because the names are there already; the thread stays interrupted.
     */
    public static void forceFolder(Path folder) throws IOException {
        boolean interrupted = false;
        boolean forced = !CAN_FORCE_FOLDERS;
        while (!forced) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
                forced = true;
            } catch (ClosedByInterruptException e) {
                interrupted |= Thread.interrupted();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Makes the name of a file durable. */
    public static void forceFolderOf(Path file) throws IOException {
        forceFolder(requireNonNull(file.toAbsolutePath().getParent()));
    }
}
