package org.litestream4j.internal.files;

import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The path of a replica URL, read as Litestream reads it: the same URL names the same object for both programs. */
public final class UrlPath {

    /** Beside letters and digits. */
    private static final String NEVER_ESCAPED = "-_.~$&+,/:;=@";

    /** Accepted as they are where the whole path is a valid encoding. */
    private static final String KEPT = "!'()*[]%";

    private UrlPath() {}

    /**
     * Decodes percent escapes; a plus sign is a plus sign.
     *
     * @throws IllegalArgumentException if a percent sign begins no escape, or the escapes are not UTF-8; without the path
     */
    public static String decode(String path) {
        byte[] bytes;
        try {
            bytes = URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.ISO_8859_1)
                    .getBytes(StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("a % that two hex digits do not follow; write %25 for a percent sign");
        }
        if (path.chars().anyMatch(c -> c > 0x7F)) { // written as it is: each part for itself
            return decodeMixed(path);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("percent escapes that are not UTF-8");
        }
    }

    private static String decodeMixed(String path) {
        StringBuilder ascii = new StringBuilder();
        path.codePoints().forEach(c -> {
            if (c > 0x7F) {
                appendEscaped(ascii, new String(Character.toChars(c)));
            } else {
                ascii.appendCodePoint(c);
            }
        });
        return decode(ascii.toString());
    }

    /**
     * Returns the path in its escaped form: as it is written if that is a valid encoding, else escaped anew. Litestream gives this
     * name to the folder of a {@code file://} URL.
     *
     * @throws IllegalArgumentException as {@link #decode}
     */
    public static String escaped(String path) {
        String plain = decode(path);
        if (path.chars().allMatch(c -> isNeverEscaped(c) || KEPT.indexOf(c) >= 0)) {
            return path;
        }
        StringBuilder escaped = new StringBuilder();
        plain.codePoints().forEach(c -> {
            if (isNeverEscaped(c)) {
                escaped.appendCodePoint(c);
            } else {
                appendEscaped(escaped, new String(Character.toChars(c)));
            }
        });
        return escaped.toString();
    }

    private static boolean isNeverEscaped(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || NEVER_ESCAPED.indexOf(c) >= 0;
    }

    private static void appendEscaped(StringBuilder text, String part) {
        for (byte each : part.getBytes(StandardCharsets.UTF_8)) {
            text.append(String.format("%%%02X", each));
        }
    }
}
