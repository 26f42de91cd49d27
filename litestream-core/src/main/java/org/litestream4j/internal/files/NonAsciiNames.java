package org.litestream4j.internal.files;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;

/** File names with characters that Java cannot encode in the process's locale. */
public final class NonAsciiNames {

    private static final String ENCODING = System.getProperty("sun.jnu.encoding", "unknown");

    /** Unicode's replacement character. */
    private static final char REPLACEMENT = '\uFFFD';

    private NonAsciiNames() {}

    /**
     * Returns the path with a name.
     *
     * @throws IllegalArgumentException if the system cannot have this name; the message does not contain it
     */
    public static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException(e.getReason() + remedy(name), e);
        }
    }

    /**
     * Rejects a text in which Java has replaced characters that the locale lacks, such as an argument of the process.
     *
     * @throws IllegalArgumentException with the remedy; the message does not contain the text
     */
    public static void requireCharacters(String text) {
        if (text.indexOf(REPLACEMENT) >= 0) {
            throw new IllegalArgumentException("bytes that are not characters" + remedy(text));
        }
    }

    /**
     * Rejects a text in which Java has replaced bytes of an argument that are not characters, unless a file really
     * has such a name.
     *
     * @throws IllegalArgumentException with the remedy; the message does not contain the text
     */
    public static void requireKnownCharacters(String text) {
        if (text.indexOf(REPLACEMENT) >= 0 && !Files.exists(path(text))) {
            String remedy = remedy(text);
            throw new IllegalArgumentException("it has bytes that are not characters"
                    + (remedy.isEmpty() ? " in " + ENCODING + "; rename the file or folder" : remedy));
        }
    }

    /**
     * Rejects a path whose text names another file. SQLite opens files by that text.
     *
     * @throws IllegalArgumentException with the remedy; the message does not contain the path
     */
    public static void requireText(Path path) {
        String text = path.toString();
        boolean same;
        try {
            same = path.getFileSystem().getPath(text).equals(path);
        } catch (InvalidPathException e) {
            same = false;
        }
        if (!same) {
            String remedy = remedy(text);
            throw new IllegalArgumentException(
                    "SQLite cannot open it, because its name has bytes that are not characters"
                            + (remedy.isEmpty() ? " in " + ENCODING + "; rename the file or folder" : remedy));
        }
    }

    /**
     * Returns the remedy for a name with characters that the locale lacks, as the continuation of a message; otherwise
     * an empty text.
     */
    public static String remedy(String name) {
        boolean ascii = name.chars().allMatch(c -> c <= 0x7F);
        if (ascii || ENCODING.toUpperCase(Locale.ROOT).startsWith("UTF")) {
            return "";
        }
        return "; the process's locale encodes names of files in " + ENCODING
                + ", which lacks some of its characters: start Java with the environment variable LC_ALL=C.UTF-8";
    }
}
