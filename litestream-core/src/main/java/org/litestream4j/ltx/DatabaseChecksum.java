package org.litestream4j.ltx;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The checksum of a whole database (ltx-format.md, "Checksums") after the last transaction of a file, kept beside the file: Litestream's
 * files carry none. Stores keep it as metadata, file systems as a user-defined attribute of the file. It is never needed, so
 * that what cannot be kept or read is merely unknown.
 */
public final class DatabaseChecksum {

    /** The name of the metadata; the value is 16 lower-case hex digits. */
    public static final String KEY = "litestream-database-checksum";

    private static final String ATTRIBUTE = "user:" + KEY;
    private static final int DIGITS = 16;

    private DatabaseChecksum() {}

    /** As stores keep it. */
    public static String text(long checksum) {
        return HexFormat.of().toHexDigits(checksum);
    }

    /** Empty for what no checksum can be: it lacks digits, or {@link LtxChecksum#STORED_BIT}. */
    public static OptionalLong parse(@Nullable String text) {
        if (text == null || text.length() != DIGITS) {
            return OptionalLong.empty();
        }
        try {
            long value = HexFormat.fromHexDigitsToLong(text);
            return (value & LtxChecksum.STORED_BIT) != 0 ? OptionalLong.of(value) : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    /** Attaches it to a file, if it is known and the file system keeps attributes. */
    public static void attach(Path file, OptionalLong checksum) {
        if (checksum.isPresent()) {
            try {
                Files.setAttribute(
                        file,
                        ATTRIBUTE,
                        ByteBuffer.wrap(text(checksum.getAsLong()).getBytes(US_ASCII)));
            } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
                // unknown then
            }
        }
    }

    /**
     * What is attached to a file.
     *
     * @throws NoSuchFileException if there is no such file
     */
    public static OptionalLong of(Path file) throws IOException {
        try {
            return Files.getAttribute(file, ATTRIBUTE) instanceof byte[] bytes
                    ? parse(new String(bytes, US_ASCII))
                    : OptionalLong.empty();
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            if (!Files.exists(file)) {
                throw new NoSuchFileException(file.toString());
            }
            return OptionalLong.empty(); // file systems do not tell "none" from "cannot"
        }
    }
}
