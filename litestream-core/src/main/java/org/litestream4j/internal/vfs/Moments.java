package org.litestream4j.internal.vfs;

import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.litestream4j.restore.RestoreTarget;

/** Which state a connection reads, and how SQL asks for it and selects another. */
final class Moments {

    private Moments() {}

    static String txid(OpenFile file) {
        return file.info().txid().toString();
    }

    static String time(OpenFile file) {
        return file.info().timestamp().toString();
    }

    /** Returns the lag in whole seconds. */
    static long lag(OpenFile file) {
        return file.info().lag().toSeconds();
    }

    /** Selects a moment and returns the timestamp of the state that it leads to. */
    static String select(OpenFile file, String moment) throws IOException {
        String plain = unquoted(moment.strip());
        if (plain.equalsIgnoreCase("default")) {
            file.selectDefault();
        } else {
            file.select(parse(plain));
        }
        return time(file);
    }

    /** Answers a PRAGMA; null if it is none of ours. */
    static @Nullable String pragma(OpenFile file, String name, @Nullable String value) throws IOException {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "litestream_txid" -> txid(file);
            case "litestream_lag" -> Long.toString(lag(file));
            case "litestream_time" -> value == null ? time(file) : select(file, value);
            default -> null;
        };
    }

    /** Parses a moment; null for the newest state. */
    private static @Nullable Instant parse(String plain) {
        if (plain.equalsIgnoreCase("latest")) {
            return null;
        }
        try {
            return ((RestoreTarget.AtTimestamp) RestoreTarget.timestamp(plain, Clock.systemUTC())).timestamp();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + ", or LATEST, or DEFAULT", e);
        }
    }

    private static String unquoted(String text) {
        boolean isQuoted = text.length() > 1 && text.startsWith("'") && text.endsWith("'");
        return isQuoted ? text.substring(1, text.length() - 1) : text;
    }
}
