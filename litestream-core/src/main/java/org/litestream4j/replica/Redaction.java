package org.litestream4j.replica;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes texts from what users write into URLs and settings: for messages, logs and status. A URL that is malformed hides its secrets in
 * other places than a valid one, so what is not known to be harmless is left out.
 */
public final class Redaction {

    private static final String HIDDEN = "…";

    private static final int LONGEST = 200;

    private static final Pattern SCHEME = Pattern.compile(
            "(?:jdbc:(?:[a-z0-9]{1,16}:)?sqlite:(?:file:)?|jdbc:[a-z0-9]{1,16}:|[a-z][a-z0-9.-]{0,9}:)(?://)?",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z_-]{0,39}");

    /** What a value is that stands for itself: words, numbers, sizes, names of buckets and regions. */
    private static final Pattern HARMLESS = Pattern.compile("[\\p{L}\\p{N} ._-]{0,63}");

    /** A path in which no user, no password and no parameter can be. */
    private static final Pattern PLAIN_PATH = Pattern.compile("[^\"'@:?#&=;,\\s\\p{Cntrl}]{0,200}");

    /** Behind the path of an SQLite file, for a driver that takes parameters there. */
    private static final Pattern END_OF_PATH = Pattern.compile("[?;#&]");

    private Redaction() {}

    /**
     * A URL of a replica or of a database without what may be a secret: user, password, values of parameters. All of a text that is no
     * URL, unless it is a plain path.
     */
    public static String url(String url) {
        String text = printable(url);
        Matcher scheme = SCHEME.matcher(text);
        if (!scheme.lookingAt()) {
            return PLAIN_PATH.matcher(text).matches() ? shortened(text) : HIDDEN;
        }
        String rest = text.substring(scheme.end());
        Matcher end = END_OF_PATH.matcher(rest);
        String address = end.find() ? rest.substring(0, end.start()) : rest;
        String parameters = rest.substring(address.length());
        if (rest.indexOf('@') >= 0) {
            return scheme.group() + HIDDEN; // where the password ends cannot be known
        }
        boolean plain = PLAIN_PATH
                .matcher(isDrive(address) ? address.substring(2) : address)
                .matches();
        return scheme.group()
                + (plain || isHostAndPort(address) ? shortened(address) : HIDDEN)
                + (parameters.isEmpty() ? "" : parameters.charAt(0) + HIDDEN);
    }

    /** As {@code C:/data/app.db}. */
    private static boolean isDrive(String place) {
        return place.matches("[A-Za-z]:[/\\\\].*");
    }

    private static boolean isHostAndPort(String place) {
        return place.matches("[A-Za-z0-9._-]{1,100}:\\d{1,5}(?:/[^\"':?#&=;,\\s]{0,200})?");
    }

    /** The name of a parameter or a setting, if it can be one. */
    public static String name(String name) {
        return NAME.matcher(name).matches() ? name : HIDDEN;
    }

    /** The value of a setting that is no secret, unless it looks like a URL, a list of values, or a key. */
    public static String value(String value) {
        return HARMLESS.matcher(value).matches() ? value : HIDDEN;
    }

    /** The scheme of a URL, if it can be one. */
    public static String scheme(String scheme) {
        return scheme.matches("[A-Za-z][A-Za-z0-9]{0,9}") ? scheme.toLowerCase(Locale.ROOT) : HIDDEN;
    }

    /** A text in one line, with control characters as question marks: nobody can forge a line of a log with it. */
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
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + HIDDEN;
    }
}
