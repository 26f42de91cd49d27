package org.litestream4j.capture;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.litestream4j.ltx.Txid;
import org.litestream4j.wal.WalPosition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the {@link PositionRecord} in {@code <meta>/position}: one line of numbers in hex and their CRC-32C. What cannot be
 * read back whole counts as no record, which costs a full image and never a page.
 */
final class PositionStore {

    private static final Logger log = LoggerFactory.getLogger(PositionStore.class);
    private static final String VERSION = "1";
    private static final int FIELDS = 20;
    private static final int MAX_SIZE = 4096;

    private final Path path;

    PositionStore(Path metaPath) {
        this.path = metaPath.resolve("position");
    }

    void save(PositionRecord record) throws IOException {
        String line = encode(record);
        Durable.replace(path, (line + " " + crc(line) + "\n").getBytes(US_ASCII));
    }

    void delete() throws IOException {
        Durable.delete(path);
    }

    Optional<PositionRecord> load() throws IOException {
        String text;
        try {
            if (Files.size(path) > MAX_SIZE) {
                return damaged("it is too long");
            }
            text = Files.readString(path, java.nio.charset.StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        String content = text.strip();
        int split = content.lastIndexOf(' ');
        if (split < 0 || !crc(content.substring(0, split)).equals(content.substring(split + 1))) {
            return damaged("its checksum does not match");
        }
        String[] fields = content.substring(0, split).split(" ");
        if (fields.length != FIELDS || !fields[0].equals(VERSION)) {
            return damaged("it is of another version");
        }
        return Optional.of(decode(fields));
    }

    private Optional<PositionRecord> damaged(String why) {
        log.warn("position record ignored, a full image follows: {}: {}", path, why);
        return Optional.empty();
    }

    private static String encode(PositionRecord r) {
        StringBuilder line = new StringBuilder(VERSION);
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
        return line.toString();
    }

    private static PositionRecord decode(String[] f) {
        long[] v = new long[FIELDS];
        for (int i = 1; i < FIELDS; i++) {
            v[i] = Long.parseUnsignedLong(f[i], 16);
        }
        return new PositionRecord(
                new Txid(v[1]),
                v[2],
                (int) v[3],
                v[4],
                position(v, 5),
                new Fingerprint(v[10], v[11], v[12], v[13]),
                v[14] == 1,
                position(v, 15));
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
        crc.update(line.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
        return Long.toHexString(crc.getValue());
    }
}
