package org.litestream4j.restore;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.ltx.Txid;

/**
 * The position of a standby, in {@code <database>-txid}: 16 hexadecimal digits and a line feed, as written by
 * Litestream. Before a change, {@code <database>-txid.tmp} announces the TXID and the change counter that the file will
 * have, so that a crash between the change and its record is detected.
 */
final class StandbyPosition {

    private static final int MAX_SIZE = 64;

    /** Length in bytes of the TXID, 16 digits, with its line feed. */
    private static final int TXID_LINE = 17;

    private final Path file;
    private final Path next;

    StandbyPosition(Path database) {
        file = database.resolveSibling(database.getFileName() + "-txid");
        next = database.resolveSibling(database.getFileName() + "-txid.tmp");
    }

    Optional<Txid> recorded() throws IOException {
        List<String> lines = lines(file);
        try {
            return lines.size() == 1 ? Optional.of(Txid.parse(lines.get(0))) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * An announced change that is not recorded yet.
     *
     * @param counter change counter of the file after the change; null if the announcement does not contain one
     */
    record Announcement(Txid txid, @Nullable Integer counter) {}

    Optional<Announcement> announced() throws IOException {
        List<String> lines = lines(next);
        try {
            return lines.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Announcement(
                            Txid.parse(lines.get(0)),
                            lines.size() > 1 ? Integer.parseUnsignedInt(lines.get(1), 16) : null));
        } catch (IllegalArgumentException e) { // truncated by a crash
            return Optional.empty();
        }
    }

    private static List<String> lines(Path path) throws IOException {
        try {
            return Files.size(path) > MAX_SIZE
                    ? List.of()
                    : Files.readString(path, US_ASCII).strip().lines().toList();
        } catch (NoSuchFileException | CharacterCodingException e) {
            return List.of();
        }
    }

    /**
     * Announces a change. The announcement becomes durable with the next change of the folder.
     *
     * @param counter change counter of the file after the change
     */
    void announce(Txid txid, int counter) throws IOException {
        try (FileChannel channel = PrivateFiles.open(
                next, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            String lines = txid + "\n" + HexFormat.of().toHexDigits(counter) + "\n";
            ByteBuffer buffer = ByteBuffer.wrap(lines.getBytes(US_ASCII));
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
    }

    /** Records the announced change, which is durable. */
    void record() throws IOException {
        try (FileChannel channel = FileChannel.open(next, StandardOpenOption.WRITE)) {
            channel.truncate(TXID_LINE); // Litestream expects only the TXID
            channel.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        DurableFiles.forceFolderOf(file);
    }

    /** Withdraws the announcement of a change that did not happen. */
    void withdraw() throws IOException {
        Files.deleteIfExists(next);
    }
}
