package org.litestream4j.replica.s3;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Map;
import java.util.Optional;

/** The user metadata that keeps a file's timestamp: RFC 3339, UTC, trailing zeros of the fraction dropped. */
final class S3Timestamps {

    static final String KEY = "litestream-timestamp";

    private static final DateTimeFormatter FORMAT = new DateTimeFormatterBuilder()
            .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .appendLiteral('Z')
            .toFormatter(java.util.Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private S3Timestamps() {}

    static Map<String, String> metadata(Instant timestamp) {
        return Map.of(KEY, FORMAT.format(timestamp));
    }

    /**
     * Reads an object's metadata; empty if it has none of ours.
     *
     * @throws DateTimeException if the text is no RFC 3339 timestamp
     */
    static Optional<Instant> read(Map<String, String> metadata) {
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
            if (entry.getKey().equalsIgnoreCase(KEY)) { // stores differ in the case that they give back
                return Optional.of(DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(entry.getValue(), Instant::from));
            }
        }
        return Optional.empty();
    }
}
