package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.litestream4j.internal.files.PrivateFiles;

/** Writes small files atomically and durably: after a power failure, a file is complete or unchanged. */
final class Durable {

    private Durable() {}

    /** Creates or replaces a file: writes a temporary file, forces it, renames it, and forces the folder. */
    static void replace(Path path, byte[] content) throws IOException {
        Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
        try (FileChannel channel = PrivateFiles.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            write(channel, 0, content);
            channel.force(true);
        }
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        forceFolder(parent(path));
    }

    /** Overwrites a part of an existing file without changing its size. A power failure may leave that part torn. */
    static void overwrite(Path path, long at, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            write(channel, at, content);
            channel.force(false);
        }
    }

    private static void write(FileChannel channel, long at, byte[] content) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(content);
        while (buffer.hasRemaining()) {
            channel.write(buffer, at + buffer.position());
        }
    }

    static void delete(Path path) throws IOException {
        if (Files.deleteIfExists(path)) {
            forceFolder(parent(path));
        }
    }

    /** Makes created, renamed and deleted names in a folder durable. */
    static void forceFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static Path parent(Path path) {
        return path.toAbsolutePath().getParent();
    }
}
