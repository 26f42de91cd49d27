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
 * Checksum of a whole database (ltx-format.md, "Checksums") after the last transaction of a file. It is stored beside
 * the file, because Litestream's files contain none: stores keep it as metadata, file systems as a user-defined
 * attribute of the file. It is never required; a checksum that cannot be stored or read is treated as unknown.
 */
public final class DatabaseChecksum {

    /** Key of the metadata; the value is 16 lower-case hexadecimal digits. */
    public static final String KEY = "litestream-database-checksum";

    private static final String ATTRIBUTE = "user:" + KEY;
    private static final int DIGITS = 16;

    private DatabaseChecksum() {}

    /** Returns the text form of a checksum. */
    public static String text(long checksum) {
        return HexFormat.of().toHexDigits(checksum);
    }

    /** Parses the text form; empty if the text is not a checksum: not 16 digits, or without {@link LtxChecksum#STORED_BIT}. */
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

    /** Attaches the checksum to a file, if it is known and the file system supports attributes. */
    public static void attach(Path file, OptionalLong checksum) {
        if (checksum.isPresent()) {
            try {
                Files.setAttribute(
                        file,
                        ATTRIBUTE,
                        ByteBuffer.wrap(text(checksum.getAsLong()).getBytes(US_ASCII)));
            } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
                // the checksum is then unknown
            }
        }
    }

    /**
     * Returns the checksum attached to a file; empty if there is none.
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
            return OptionalLong.empty(); // file systems do not distinguish "none" from "not supported"
        }
    }
}
