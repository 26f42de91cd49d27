package org.litestream4j.internal.capture;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.ltx.LtxChecksum;

/**
 * Stores {@link PageChecksums} between runs in {@code <meta>/checksums}. The file consists of big-endian words: a head
 * that identifies the transaction, the page checksums, and a CRC-64 of all previous words. The file is not durable:
 * after a power failure it may be invalid, and the checksums are computed again.
 */
final class PageChecksumStore {

    private static final long MAGIC = 0x4C53_4350_4147_4531L;
    private static final int HEAD_WORDS = 5;
    private static final int BUFFER = 64 << 10;

    private final Path path;

    PageChecksumStore(Path metaPath) {
        this.path = metaPath.resolve("checksums");
    }

    /** @param position position to which the checksums belong */
    void save(PositionRecord position, PageChecksums pages) throws IOException {
        Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
        try (DataOutputStream out =
                new DataOutputStream(new BufferedOutputStream(PrivateFiles.newOutputStream(temporary), BUFFER))) {
            LtxChecksum crc = new LtxChecksum();
            for (long word : head(position)) {
                write(out, word, crc);
            }
            for (long pgno = 1; pgno <= pages.commit(); pgno++) {
                write(out, pages.get(pgno), crc);
            }
            out.writeLong(crc.value());
        }
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Returns the checksums saved at a position; null if there are none, or the file is invalid. */
    @Nullable
    PageChecksums load(PositionRecord position) throws IOException {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(path), BUFFER))) {
            long words = HEAD_WORDS + position.commit() + 1;
            if (Files.size(path) != words * Long.BYTES) {
                return null;
            }
            LtxChecksum crc = new LtxChecksum();
            for (long word : head(position)) {
                if (read(in, crc) != word) {
                    return null;
                }
            }
            PageChecksums pages = new PageChecksums(position.pageSize(), position.commit());
            for (long pgno = 1; pgno <= position.commit(); pgno++) {
                pages.put(pgno, read(in, crc));
            }
            return in.readLong() == crc.value() ? pages : null;
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static long[] head(PositionRecord position) {
        return new long[] {
            MAGIC, position.txid().value(), position.fileChecksum(), position.pageSize(), position.commit()
        };
    }

    private static void write(DataOutputStream out, long word, LtxChecksum crc) throws IOException {
        crc.updateLong(word);
        out.writeLong(word);
    }

    private static long read(DataInputStream in, LtxChecksum crc) throws IOException {
        long word = in.readLong();
        crc.updateLong(word);
        return word;
    }
}
