package org.litestream4j.replica.nats;

import io.nats.client.api.ObjectInfo;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.DatabaseChecksum;

/**
 * Description of an object in the bucket.
 *
 * @param nuid part of the subject of its chunks; empty if it has none
 * @param size size in bytes
 * @param digest digest of the content in the object store's format ({@code SHA-256=…}); null if unknown
 * @param timestamp timestamp from the header; null if there is none
 * @param databaseChecksum database checksum from the header; empty if there is none
 * @param stored time at which the description was written
 * @param deleted whether this is the tombstone of an object
 * @param sequence sequence of the description in the stream
 */
record StoredObject(
        String nuid,
        long size,
        long chunks,
        @Nullable String digest,
        @Nullable Instant timestamp,
        OptionalLong databaseChecksum,
        Instant stored,
        boolean deleted,
        long sequence) {

    static final String TIMESTAMP_HEADER = "Litestream-Timestamp";

    static final String CHECKSUM_HEADER = "Litestream-Database-Checksum";

    private static final DateTimeFormatter FORMAT = new DateTimeFormatterBuilder()
            .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .appendLiteral('Z')
            .toFormatter(Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    static StoredObject of(ObjectInfo info, Instant stored, long sequence) throws IOException {
        String nuid = info.getNuid() == null ? "" : info.getNuid();
        boolean none = info.isDeleted() || info.getChunks() == 0;
        if (info.isLink() || info.getSize() < 0 || info.getChunks() < 0 || (!none && !nuid.matches("[!-~&&[^.*>]]+"))) {
            throw new IOException("its description is none of a stored file");
        }
        String text = info.getHeaders().getFirst(TIMESTAMP_HEADER);
        Instant timestamp = null;
        if (text != null) {
            try {
                timestamp = DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from);
            } catch (DateTimeException e) {
                throw new IOException("its header " + TIMESTAMP_HEADER + " is not a timestamp", e);
            }
        }
        return new StoredObject(
                nuid,
                info.getSize(),
                info.getChunks(),
                info.getDigest(),
                timestamp,
                DatabaseChecksum.parse(info.getHeaders().getFirst(CHECKSUM_HEADER)),
                stored,
                info.isDeleted(),
                sequence);
    }

    /** Returns the timestamp in RFC 3339, UTC, without trailing zeros of the fraction. */
    static String format(Instant timestamp) {
        return FORMAT.format(timestamp);
    }
}
