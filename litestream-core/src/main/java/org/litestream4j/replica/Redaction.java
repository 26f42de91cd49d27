package org.litestream4j.replica;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Redacts URLs and settings for messages, logs and status. In a malformed URL, secrets can be in unexpected places;
 * therefore, only text that is known to be harmless is kept.
 */
public final class Redaction {

    private static final String HIDDEN = "…";

    private static final int MAX_LENGTH = 200;

    private static final Pattern SCHEME = Pattern.compile(
            "(?:jdbc:(?:[a-z0-9]{1,16}:)?sqlite:(?:file:)?|jdbc:[a-z0-9]{1,16}:|[a-z][a-z0-9.-]{0,9}:)(?://)?",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z_-]{0,39}");

    /** Matches harmless values: words, numbers, sizes, names of buckets and regions. */
    private static final Pattern HARMLESS = Pattern.compile("[\\p{L}\\p{N} ._-]{0,63}");

    /** Matches paths that cannot contain a user, a password or a parameter. */
    private static final Pattern PLAIN_PATH = Pattern.compile("[^\"'@:?#&=;,\\s\\p{Cntrl}]{0,200}");

    /** Matches a long word of letters with digits or of both cases, as keys, tokens and seeds are. */
    private static final Pattern KEY = Pattern.compile(
            "(?=[A-Za-z0-9]{16})(?:(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Za-z])|(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z]))");

    /** Matches what only a path or a host has: a separator, or a short extension at the end. */
    private static final Pattern OF_PATHS = Pattern.compile("[/\\\\]|\\.[A-Za-z0-9]{1,5}$|^\\$\\{");

    /** Matches the end of the path in an SQLite URL, from which on a driver accepts parameters. */
    private static final Pattern END_OF_PATH = Pattern.compile("[?;#&]");

    /** Matches characters that separate a user or a password from other parts. */
    private static final Pattern SUSPICIOUS = Pattern.compile("[\"'@:]");

    private Redaction() {}

    /**
     * Returns a URL of a replica or a database without possible secrets: user, password, values of parameters. A text
     * that is neither a URL nor a plain path, such as a single word, is hidden completely.
     */
    public static String url(String url) {
        String text = printable(url);
        Matcher scheme = SCHEME.matcher(text);
        if (!scheme.lookingAt()) {
            return file(text);
        }
        String rest = text.substring(scheme.end());
        Matcher end = END_OF_PATH.matcher(rest);
        String address = end.find() ? rest.substring(0, end.start()) : rest;
        String parameters = rest.substring(address.length());
        if (rest.indexOf('@') >= 0) {
            return scheme.group() + HIDDEN; // the end of the password is unknown
        }
        boolean plain = PLAIN_PATH
                .matcher(isDrive(address) ? address.substring(2) : address)
                .matches();
        return scheme.group()
                + (plain || isHostAndPort(address) ? shortened(address) : HIDDEN)
                + (parameters.isEmpty() ? "" : parameters.charAt(0) + HIDDEN);
    }

    /**
     * Returns the path of a replica within its bucket, without what may be a user, a password or a parameter. Blanks are
     * kept.
     */
    public static String path(String path) {
        String text = printable(path);
        Matcher end = END_OF_PATH.matcher(text);
        String plain = end.find() ? text.substring(0, end.start()) : text;
        String rest = plain.length() == text.length() ? "" : text.charAt(plain.length()) + HIDDEN;
        return (SUSPICIOUS.matcher(text).find() ? HIDDEN : shortened(plain)) + rest;
    }

    /**
     * Returns the path of a file if it can only be one; otherwise hides it. The content of a key's or credentials' file
     * may have been given instead of its path.
     */
    public static String file(String path) {
        String text = printable(path);
        boolean plain =
                PLAIN_PATH.matcher(isDrive(text) ? text.substring(2) : text).matches();
        return plain && OF_PATHS.matcher(text).find() && !KEY.matcher(text).lookingAt() ? shortened(text) : HIDDEN;
    }

    /** Returns whether the text is a Windows drive, as in {@code C:/data/app.db}. */
    private static boolean isDrive(String place) {
        return place.matches("[A-Za-z]:[/\\\\].*");
    }

    private static boolean isHostAndPort(String place) {
        return place.matches("[A-Za-z0-9._-]{1,100}:\\d{1,5}(?:/[^\"':?#&=;,\\s]{0,200})?");
    }

    /** Returns the name of a parameter or setting if it is a possible name; otherwise hides it. */
    public static String name(String name) {
        return NAME.matcher(name).matches() ? name : HIDDEN;
    }

    /**
     * Returns the value of a setting that is not a secret, unless it looks like a URL, a list of values, or a key: the
     * variables of two settings may have been swapped.
     */
    public static String value(String value) {
        return HARMLESS.matcher(value).matches() && !KEY.matcher(value).find() ? value : HIDDEN;
    }

    /** Returns the scheme of a URL if it is a possible scheme; otherwise hides it. */
    public static String scheme(String scheme) {
        return scheme.matches("[A-Za-z][A-Za-z0-9]{0,9}") ? scheme.toLowerCase(Locale.ROOT) : HIDDEN;
    }

    /** Returns a text in one line, with control characters replaced by question marks, so that it cannot forge log lines. */
    public static String printable(String text) {
        StringBuilder printable = new StringBuilder(text.length());
        text.codePoints()
                .map(c -> Character.isISOControl(c)
                                || Character.getType(c) == Character.FORMAT
                                || Character.getType(c) == Character.LINE_SEPARATOR
                                || Character.getType(c) == Character.PARAGRAPH_SEPARATOR
                        ? '?'
                        : c)
                .forEach(printable::appendCodePoint);
        return printable.toString();
    }

    private static String shortened(String text) {
        return text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH) + HIDDEN;
    }
}
