package org.litestream4j.internal.pages;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;

/**
 * The journal of a {@link PartialCopy}: a line for the file, and one for each block that was written, after the block
 * is on the disk. A reader of the journal verifies each block. Thread-safe.
 */
final class CopyJournal implements Closeable {

    private static final String VERSION = "1";

    private final Path path;
    private final String first;

    @GuardedBy("this")
    private @Nullable FileChannel out;

    /** @param file name of the file that is filled */
    CopyJournal(Path path, String file, int pageSize) {
        this.path = path;
        first = VERSION + " " + pageSize + " " + file + "\n";
    }

    /** Consecutive entries of a file's page index. */
    record Block(int number, ReplicaFile file, int from, int to) {}

    /**
     * A block that was written.
     *
     * @param file identity of the file on the replica
     * @param from first entry of the page index
     * @param to the entry after the last one
     * @param crc checksum of the frames, as in the checksum of the file
     * @param length number of bytes in that checksum
     * @param xor of the checksums of the pages that were written
     * @param placed entries, from 0, whose pages were written; the others are replaced by newer files
     */
    record Entry(String file, int from, int to, long crc, long length, long xor, BitSet placed) {

        Entry with(BitSet newPlaced, long newXor) {
            return new Entry(file, from, to, crc, length, newXor, newPlaced);
        }

        private String line() {
            HexFormat hex = HexFormat.of();
            return String.join(
                            " ",
                            file,
                            Integer.toString(from),
                            Integer.toString(to),
                            hex.toHexDigits(crc),
                            Long.toString(length),
                            hex.toHexDigits(xor),
                            "=" + Base64.getEncoder().withoutPadding().encodeToString(placed.toByteArray()))
                    + "\n";
        }

        private static Entry parse(String line) {
            String[] fields = line.split(" ", -1);
            if (fields.length != 7 || !fields[6].startsWith("=")) {
                throw new IllegalArgumentException(line);
            }
            Entry entry = new Entry(
                    fields[0],
                    Integer.parseInt(fields[1]),
                    Integer.parseInt(fields[2]),
                    HexFormat.fromHexDigitsToLong(fields[3]),
                    Long.parseLong(fields[4]),
                    HexFormat.fromHexDigitsToLong(fields[5]),
                    BitSet.valueOf(Base64.getDecoder().decode(fields[6].substring(1))));
            if (entry.from < 0
                    || entry.to <= entry.from
                    || entry.length < 0
                    || entry.placed.length() > entry.to - entry.from) {
                throw new IllegalArgumentException(line);
            }
            return entry;
        }
    }

    /**
     * What an earlier run left.
     *
     * @param file name of the file that was filled
     */
    record Left(String file, int pageSize, List<Entry> entries) {}

    /**
     * Returns a text that differs for files with other content: by level, name, size, timestamp, version, and the checksum of
     * the file.
     */
    static String identity(ReplicaFile file) {
        return StoredIndexes.key(file.info() + " " + file.version() + " "
                + HexFormat.of().toHexDigits(file.index().trailer().fileChecksum()));
    }

    /** Reads a journal; null if there is none, or none that can be read. Lines after a damaged one are ignored. */
    static @Nullable Left read(Path path) throws IOException {
        String text;
        try {
            text = new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            return null;
        }
        String[] lines = text.split("\n", -1); // the last one is empty, or was not finished
        String[] head = lines[0].split(" ", 3);
        List<Entry> entries = new ArrayList<>();
        try {
            if (lines.length < 2 || head.length != 3 || !head[0].equals(VERSION)) {
                return null;
            }
            int pageSize = Integer.parseInt(head[1]);
            for (int i = 1; i < lines.length - 1; i++) {
                entries.add(Entry.parse(lines[i]));
            }
            return new Left(head[2], pageSize, entries);
        } catch (IllegalArgumentException e) {
            return entries.isEmpty() ? null : new Left(head[2], Integer.parseInt(head[1]), entries);
        }
    }

    /** Replaces the journal by one with these entries. */
    synchronized void begin(List<Entry> entries) throws IOException {
        Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
        FileChannel channel = PrivateFiles.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        out = channel;
        write(channel, first);
        for (Entry entry : entries) {
            write(channel, entry.line());
        }
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Adds a block. */
    synchronized void add(Entry entry) throws IOException {
        FileChannel channel = out;
        if (channel == null) {
            throw new IOException("the journal is closed");
        }
        write(channel, entry.line());
    }

    private static void write(FileChannel channel, String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.ISO_8859_1));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    void delete() throws IOException {
        Files.deleteIfExists(path);
    }

    @Override
    public synchronized void close() throws IOException {
        FileChannel channel = out;
        out = null;
        if (channel != null) {
            channel.close();
        }
    }
}
