package org.litestream4j.restore;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.litestream4j.ltx.Txid;

/**
 * How far a standby has come: {@code <database>-txid}, 16 hex digits and a line feed, as Litestream writes it. What is about to
 * be applied stands in {@code <database>-txid.tmp} before, so that a crash between the change and its record is seen.
 */
final class StandbyPosition {

    private static final int MAX_SIZE = 64;

    private final Path file;
    private final Path next;

    StandbyPosition(Path database) {
        file = database.resolveSibling(database.getFileName() + "-txid");
        next = database.resolveSibling(database.getFileName() + "-txid.tmp");
    }

    Optional<Txid> recorded() throws IOException {
        return read(file);
    }

    /** What was announced and not recorded. */
    Optional<Txid> announced() throws IOException {
        return read(next);
    }

    private static Optional<Txid> read(Path path) throws IOException {
        try {
            if (Files.size(path) > MAX_SIZE) {
                return Optional.empty();
            }
            return Optional.of(Txid.parse(Files.readString(path, US_ASCII).strip()));
        } catch (NoSuchFileException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Durable with the next change of the folder. */
    void announce(Txid txid) throws IOException {
        try (FileChannel channel = FileChannel.open(
                next, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer line = ByteBuffer.wrap((txid + "\n").getBytes(US_ASCII));
            while (line.hasRemaining()) {
                channel.write(line);
            }
            channel.force(true);
        }
    }

    /** What was announced is true. */
    void record() throws IOException {
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        TargetFile.forceFolder(file.getParent());
    }

    /** What was announced did not happen. */
    void withdraw() throws IOException {
        Files.deleteIfExists(next);
    }
}
