package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Mark;

/** State of the database to restore. */
public sealed interface RestoreTarget {

    /** Returns the newest state. */
    static RestoreTarget latest() {
        return new Latest();
    }

    /** Returns the state after exactly this transaction. */
    static RestoreTarget txid(Txid txid) {
        return new AtTxid(txid);
    }

    /**
     * Returns the newest retained state that is older than the given time; the result of the restore reports the time
     * reached. A time after the newest file yields the newest state.
     */
    static RestoreTarget timestamp(Instant timestamp) {
        return new AtTimestamp(timestamp);
    }

    /**
     * Returns the state that a mark of the replica names.
     *
     * @throws IllegalArgumentException if marks cannot have this name
     */
    static RestoreTarget mark(String name) {
        return new AtMark(name);
    }

    /**
     * Parses a point in time: ISO 8601 with a time zone ({@code 2026-11-24T10:15:30Z},
     * {@code 2026-11-24T11:15:30.5+01:00}), or an age ({@code 5 minutes ago}, {@code 2h ago}).
     *
     * @param clock clock for the current time
     * @throws IllegalArgumentException if the text cannot be parsed; contains the text and the accepted formats
     */
    static RestoreTarget timestamp(String text, Clock clock) {
        Matcher ago = AtTimestamp.AGO.matcher(text.trim().toLowerCase(Locale.ROOT));
        try {
            if (ago.matches()) {
                Duration duration = AtTimestamp.unit(ago.group(2)).multipliedBy(Long.parseLong(ago.group(1)));
                return timestamp(clock.instant().minus(duration));
            }
            return timestamp(ZonedDateTime.parse(text.trim(), DateTimeFormatter.ISO_ZONED_DATE_TIME)
                    .toInstant());
        } catch (DateTimeException | ArithmeticException e) {
            throw new IllegalArgumentException(
                    "not a point in time: \"" + text
                            + "\"; write ISO 8601 with a zone (2026-11-24T10:15:30Z) or how long ago (5 minutes ago)",
                    e);
        }
    }

    /** The newest state. */
    record Latest() implements RestoreTarget {
        @Override
        public String toString() {
            return "the newest state";
        }
    }

    /**
     * The state after exactly this transaction.
     *
     * @param txid at least 1
     */
    record AtTxid(Txid txid) implements RestoreTarget {

        /** @throws IllegalArgumentException if the TXID is 0 */
        public AtTxid {
            if (txid.isNone()) {
                throw new IllegalArgumentException("TXIDs begin at 1: " + txid);
            }
        }

        @Override
        public String toString() {
            return "TXID " + txid;
        }
    }

    /** The state that a mark names. */
    record AtMark(String name) implements RestoreTarget {

        /** @throws IllegalArgumentException if marks cannot have this name */
        public AtMark {
            Mark.requireName(name);
        }

        @Override
        public String toString() {
            return "mark " + name;
        }
    }

    /** The newest state older than a point in time. */
    record AtTimestamp(Instant timestamp) implements RestoreTarget {

        private static final Pattern AGO = Pattern.compile("(\\d{1,9}) ?([a-z]+) ago");

        public AtTimestamp {
            requireNonNull(timestamp, "timestamp");
        }

        private static Duration unit(String name) {
            return switch (name) {
                case "s", "sec", "second", "seconds" -> Duration.ofSeconds(1);
                case "m", "min", "minute", "minutes" -> Duration.ofMinutes(1);
                case "h", "hour", "hours" -> Duration.ofHours(1);
                case "d", "day", "days" -> Duration.ofDays(1);
                default -> throw new DateTimeException("no such unit: " + name);
            };
        }

        @Override
        public String toString() {
            return "time " + timestamp;
        }
    }
}
