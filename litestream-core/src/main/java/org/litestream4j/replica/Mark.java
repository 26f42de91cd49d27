package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * A name for one state of a database. While the mark exists and has not expired, retention keeps the files that restore
 * this state.
 *
 * @param name {@link #ALLOWED_NAMES}
 * @param txid transaction after which the state is, at least 1
 * @param timestamp time of that transaction
 * @param created time at which the mark was set
 * @param expires time from which the mark no longer keeps anything; null if it does not expire
 */
public record Mark(String name, Txid txid, Instant timestamp, Instant created, @Nullable Instant expires) {

    /** The allowed names, to complete the sentence "the name of a mark must be …". */
    public static final String ALLOWED_NAMES =
            "1 to 64 letters (a-z, A-Z), digits, hyphens, underscores and dots, the first a letter or a digit";

    /** Maximum size of a stored mark in bytes. */
    public static final int MAX_BYTES = 4096;

    private static final String FIRST_LINE = "litestream4j-mark: 1";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /** @throws IllegalArgumentException if the name is not one of the {@link #ALLOWED_NAMES}, or the TXID is 0 */
    public Mark {
        requireName(name);
        requireNonNull(timestamp, "timestamp");
        requireNonNull(created, "created");
        if (txid.isNone()) {
            throw new IllegalArgumentException("TXIDs begin at 1: " + txid);
        }
    }

    /** Returns whether a text is one of the {@link #ALLOWED_NAMES}. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /**
     * Returns the name.
     *
     * @throws IllegalArgumentException if it is not one of the {@link #ALLOWED_NAMES}
     */
    public static String requireName(String name) {
        if (!isName(name)) {
            throw new IllegalArgumentException("the name of a mark must be " + ALLOWED_NAMES + ": \""
                    + Redaction.printable(name.length() > 80 ? name.substring(0, 80) + "…" : name) + "\"");
        }
        return name;
    }

    /** Returns whether the mark keeps nothing any more. */
    public boolean isExpired(Instant now) {
        return expires != null && !now.isBefore(expires);
    }

    /**
     * Returns the content of the stored mark: lines of text in UTF-8, which {@link #decode} reads. Each call returns
     * another content, so that a writer recognizes what it has written.
     */
    public byte[] encode() {
        String text = FIRST_LINE + "\nwriter: " + UUID.randomUUID() + "\ntxid: " + txid + "\ntimestamp: " + timestamp
                + "\ncreated: " + created + "\nexpires: " + (expires == null ? "never" : expires.toString()) + "\n";
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Returns the mark with this content. Unknown lines are ignored.
     *
     * @throws IllegalArgumentException if the content is not that of a mark
     */
    public static Mark decode(String name, byte[] content) {
        String[] lines = new String(content, StandardCharsets.UTF_8).split("\r?\n", -1);
        if (!lines[0].equals(FIRST_LINE)) {
            throw new IllegalArgumentException("it does not begin with \"" + FIRST_LINE + "\"");
        }
        Map<String, String> fields = new HashMap<>();
        for (String line : lines) {
            int colon = line.indexOf(": ");
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 2));
            }
        }
        try {
            String expires = field(fields, "expires");
            return new Mark(
                    name,
                    Txid.parse(field(fields, "txid")),
                    Instant.parse(field(fields, "timestamp")),
                    Instant.parse(field(fields, "created")),
                    expires.equals("never") ? null : Instant.parse(expires));
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static String field(Map<String, String> fields, String name) {
        String value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("it has no line \"" + name + ": …\"");
        }
        return value;
    }
}
