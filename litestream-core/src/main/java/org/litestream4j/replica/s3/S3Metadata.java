package org.litestream4j.replica.s3;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.DatabaseChecksum;

/**
 * User metadata of a file: its timestamp in RFC 3339, UTC, without trailing zeros of the fraction, and the checksum of
 * the database, if known.
 */
final class S3Metadata {

    static final String TIMESTAMP = "litestream-timestamp";

    private static final DateTimeFormatter FORMAT = new DateTimeFormatterBuilder()
            .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .appendLiteral('Z')
            .toFormatter(java.util.Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private S3Metadata() {}

    static Map<String, String> of(Instant timestamp, OptionalLong databaseChecksum) {
        String text = FORMAT.format(timestamp);
        return databaseChecksum.isPresent()
                ? Map.of(TIMESTAMP, text, DatabaseChecksum.KEY, DatabaseChecksum.text(databaseChecksum.getAsLong()))
                : Map.of(TIMESTAMP, text);
    }

    /**
     * Returns the timestamp in an object's metadata; empty if there is none.
     *
     * @throws DateTimeException if the text is not an RFC 3339 timestamp
     */
    static Optional<Instant> timestamp(Map<String, String> metadata) {
        String text = value(metadata, TIMESTAMP);
        return text == null
                ? Optional.empty()
                : Optional.of(DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from));
    }

    /** Returns the database checksum in an object's metadata; empty if there is none. */
    static OptionalLong databaseChecksum(Map<String, String> metadata) {
        return DatabaseChecksum.parse(value(metadata, DatabaseChecksum.KEY));
    }

    private static @Nullable String value(Map<String, String> metadata, String key) {
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
            if (entry.getKey().equalsIgnoreCase(key)) { // stores change the case of keys
                return entry.getValue();
            }
        }
        return null;
    }
}
