package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.litestream4j.ltx.LtxReader;

/** A database as LTX files make it, file by file. */
final class Pages {

    private byte[] content = new byte[0];

    /** Puts the pages of a file over what is there. */
    void apply(Path ltx) throws IOException {
        try (LtxReader reader = LtxReader.open(Files.newInputStream(ltx), ltx.toString())) {
            int pageSize = reader.header().pageSize();
            content = Arrays.copyOf(content, Math.toIntExact(reader.header().commit() * pageSize));
            while (reader.next()) {
                System.arraycopy(reader.page(), 0, content, Math.toIntExact((reader.pgno() - 1) * pageSize), pageSize);
            }
        }
    }

    String hash() {
        return hash(content);
    }

    /** 64 bits of two checksums that have nothing in common. */
    static String hash(byte[] content) {
        CRC32 first = new CRC32();
        first.update(content);
        CRC32C second = new CRC32C();
        second.update(content);
        return Long.toHexString(first.getValue() << 32 | second.getValue());
    }
}
