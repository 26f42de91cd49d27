package org.litestream4j.internal.files;

import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/** The path of a replica URL, parsed as Litestream parses it, so that a URL refers to the same object in both programs. */
public final class UrlPath {

    /** Characters that are never escaped, in addition to letters and digits. */
    private static final String NEVER_ESCAPED = "-_.~$&+,/:;=@";

    /** Characters that are accepted without escape if the whole path is a valid encoding. */
    private static final String KEPT = "!'()*[]%";

    private UrlPath() {}

    /**
     * Decodes percent escapes. A plus sign is not decoded.
     *
     * @throws IllegalArgumentException if a percent sign does not begin an escape, or if the escapes are not UTF-8;
     *     the message does not contain the path
     */
    public static String decode(String path) {
        byte[] bytes;
        try {
            bytes = URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.ISO_8859_1)
                    .getBytes(StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("a % that two hex digits do not follow; write %25 for a percent sign");
        }
        if (path.chars().anyMatch(c -> c > 0x7F)) { // not ASCII: each part is decoded separately
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
     * Returns the path in its escaped form: unchanged if it is a valid encoding, otherwise escaped again. Litestream
     * uses this form as the folder of a {@code file://} URL.
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

    /** Removes empty, "." and ".." segments, and leading and trailing slashes. */
    public static String clean(String path) {
        Deque<String> segments = new ArrayDeque<>();
        for (String segment : path.split("/", -1)) {
            if (segment.equals("..")) {
                segments.pollLast();
            } else if (!segment.isEmpty() && !segment.equals(".")) {
                segments.addLast(segment);
            }
        }
        return String.join("/", segments);
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
