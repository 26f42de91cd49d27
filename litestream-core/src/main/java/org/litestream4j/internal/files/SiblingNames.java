package org.litestream4j.internal.files;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;

/** Names of files beside a file that are derived from its name and fit into a folder entry. */
public final class SiblingNames {

    /** Maximum length of a name in bytes, on all common file systems. */
    private static final int MOST = 255;

    private SiblingNames() {}

    /**
     * Returns a name that begins with a prefix and the name of a file. Of a long name, only the beginning is used,
     * followed by a hash of the whole.
     *
     * @param reserve number of bytes that the caller appends
     */
    public static String of(String prefix, Path file, int reserve) {
        String name = String.valueOf(file.getFileName());
        int room = MOST - reserve - length(prefix);
        if (length(name) <= room) {
            return prefix + name;
        }
        String hash = "~" + Integer.toHexString(name.hashCode());
        String start = name;
        while (length(start) > room - hash.length()) {
            start = start.substring(0, start.offsetByCodePoints(start.length(), -1));
        }
        return prefix + start + hash;
    }

    private static int length(String name) {
        return name.getBytes(UTF_8).length;
    }
}
