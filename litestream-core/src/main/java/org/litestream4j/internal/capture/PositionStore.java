package org.litestream4j.internal.capture;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores the {@link PositionRecord} in {@code <meta>/position}. The file has two slots of one line each: version,
 * counter and fields in hex, and their CRC-32C. The slots are written in turn, and the newest valid one counts, so a
 * torn write leaves the previous record. Overwriting a slot costs a fraction of creating and renaming a file. If no
 * slot is valid, there is no record, and a full image follows; no page is lost.
 */
final class PositionStore {

    private static final Logger log = LoggerFactory.getLogger(PositionStore.class);
    private static final String VERSION = "3";
    private static final int FIELDS = 22;

    /**
     * Version whose records may come from a run that lost commits unnoticed: their TXID counts, their continuity does
     * not.
     */
    private static final String UNTRUSTED_VERSION = "2";

    private static final int UNTRUSTED_FIELDS = 21;

    /** Size of a slot in bytes; no disk sector or file system page contains both slots. */
    private static final int SLOT_SIZE = 4096;

    private static final int SIZE = 2 * SLOT_SIZE;

    private final Path path;

    /** Newest slot of the file; null if there is none, or the file was neither read nor written yet. */
    private @Nullable Slot newest;

    PositionStore(Path metaPath) {
        this.path = metaPath.resolve("position");
    }

    /** A valid slot that was read or written. */
    private record Slot(int index, long count, PositionRecord record) {}

    /** Saves a record; it is durable on return. After an error, the file may contain the new or the previous record. */
    void save(PositionRecord record) throws IOException {
        if (newest == null) {
            newest = newestSlot(read());
        }
        Slot before = newest;
        Slot next = before == null ? new Slot(0, 1, record) : new Slot(1 - before.index(), before.count() + 1, record);
        if (before == null || !Files.exists(path)) {
            byte[] content = blank(SIZE);
            System.arraycopy(encode(next), 0, content, next.index() * SLOT_SIZE, SLOT_SIZE);
            DurableFiles.replace(path, content);
        } else {
            DurableFiles.overwrite(path, (long) next.index() * SLOT_SIZE, encode(next));
        }
        newest = next;
    }

    /** Returns the fingerprint of the file; {@link Fingerprint#NONE} if it does not exist. */
    Fingerprint saved() throws IOException {
        try {
            return Fingerprint.of(path);
        } catch (NoSuchFileException e) {
            return Fingerprint.NONE;
        }
    }

    void delete() throws IOException {
        newest = null;
        DurableFiles.delete(path);
    }

    Optional<PositionRecord> load() throws IOException {
        byte[] content = read();
        newest = newestSlot(content);
        if (newest != null) {
            return Optional.of(newest.record());
        }
        if (content.length > 0) {
            log.warn("position record ignored, a full image follows: path={} reason=damaged or unknown version", path);
        }
        return Optional.empty();
    }

    /** Reads at most the size of both slots. */
    private byte[] read() throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(SIZE);
        } catch (NoSuchFileException e) {
            return new byte[0];
        }
    }

    private static @Nullable Slot newestSlot(byte[] content) {
        Slot found = null;
        for (int index = 0; content.length == SIZE && index < 2; index++) {
            Slot slot = decode(index, new String(content, index * SLOT_SIZE, SLOT_SIZE, ISO_8859_1));
            if (slot != null && (found == null || slot.count() > found.count())) {
                found = slot;
            }
        }
        return found;
    }

    private static byte[] blank(int size) {
        byte[] blank = new byte[size];
        Arrays.fill(blank, (byte) ' ');
        return blank;
    }

    private static byte[] encode(Slot slot) {
        String line = line(slot);
        byte[] text = (line + " " + crc(line) + "\n").getBytes(US_ASCII);
        byte[] padded = blank(SLOT_SIZE);
        System.arraycopy(text, 0, padded, 0, text.length);
        return padded;
    }

    private static @Nullable Slot decode(int index, String text) {
        String content = text.strip();
        int split = content.lastIndexOf(' ');
        if (split < 0 || !crc(content.substring(0, split)).equals(content.substring(split + 1))) {
            return null;
        }
        String[] fields = content.substring(0, split).split(" ");
        boolean trusted = fields.length == FIELDS && fields[0].equals(VERSION);
        boolean untrusted = fields.length == UNTRUSTED_FIELDS && fields[0].equals(UNTRUSTED_VERSION);
        if (!trusted && !untrusted) {
            return null;
        }
        return new Slot(index, Long.parseUnsignedLong(fields[1], 16), record(fields));
    }

    private static String line(Slot slot) {
        PositionRecord r = slot.record();
        StringBuilder line = new StringBuilder(VERSION);
        append(line, slot.count());
        append(line, r.txid().value(), r.fileChecksum(), r.pageSize(), r.commit());
        append(line, r.wal());
        append(
                line,
                r.file().inode(),
                r.file().size(),
                r.file().modified(),
                r.file().changed());
        append(line, r.frozen() ? 1 : 0);
        append(line, r.frozenEnd());
        append(line, r.continuous() ? 1 : 0);
        return line.toString();
    }

    private static PositionRecord record(String[] f) {
        long[] v = new long[FIELDS - 1];
        for (int i = 1; i + 1 < f.length; i++) {
            v[i] = Long.parseUnsignedLong(f[i + 1], 16);
        }
        return new PositionRecord(
                new Txid(v[1]),
                v[2],
                (int) v[3],
                v[4],
                position(v, 5),
                new Fingerprint(v[10], v[11], v[12], v[13]),
                v[14] == 1,
                position(v, 15),
                v[20] == 1);
    }

    private static void append(StringBuilder line, WalPosition p) {
        append(line, p.salt1(), p.salt2(), p.offset(), p.checksum1(), p.checksum2());
    }

    private static void append(StringBuilder line, long... values) {
        for (long value : values) {
            line.append(' ').append(Long.toHexString(value));
        }
    }

    private static WalPosition position(long[] v, int at) {
        return new WalPosition((int) v[at], (int) v[at + 1], v[at + 2], (int) v[at + 3], (int) v[at + 4]);
    }

    private static String crc(String line) {
        CRC32C crc = new CRC32C();
        crc.update(line.getBytes(ISO_8859_1));
        return Long.toHexString(crc.getValue());
    }
}
