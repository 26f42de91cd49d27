package org.litestream4j.internal.files;

import java.util.Locale;

/** File names with characters that Java cannot encode in the process's locale. */
public final class NonAsciiNames {

    private NonAsciiNames() {}

    /**
     * Returns the remedy for a name with characters that the locale lacks, as the continuation of a message; otherwise
     * an empty text.
     */
    public static String remedy(String name) {
        String encoding = System.getProperty("sun.jnu.encoding", "unknown");
        boolean ascii = name.chars().allMatch(c -> c <= 0x7F);
        if (ascii || encoding.toUpperCase(Locale.ROOT).startsWith("UTF")) {
            return "";
        }
        return "; the process's locale encodes names of files in " + encoding
                + ", which lacks some of its characters: start Java with the environment variable LC_ALL=C.UTF-8";
    }
}
