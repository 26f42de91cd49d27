package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class S3MetadataTest {

    @ParameterizedTest
    @CsvSource({
        "2026-11-24T02:41:33.910Z, 2026-11-24T02:41:33.91Z",
        "2026-11-24T02:41:33Z, 2026-11-24T02:41:33Z",
        "2026-11-24T02:41:00Z, 2026-11-24T02:41:00Z",
        "2026-11-24T02:41:33.000000001Z, 2026-11-24T02:41:33.000000001Z",
        "1970-01-01T00:00:00.001Z, 1970-01-01T00:00:00.001Z",
    })
    void metadata_moment_isWrittenAsLitestreamDoes(Instant moment, String text) {
        Map<String, String> metadata = S3Metadata.of(moment, OptionalLong.empty());
        assertThat(metadata).containsExactly(Map.entry("litestream-timestamp", text));
        assertThat(S3Metadata.timestamp(metadata)).contains(moment);
    }

    @Test
    void read_otherCaseAndZone_isUnderstood() {
        assertThat(S3Metadata.timestamp(Map.of("Litestream-Timestamp", "2026-11-24T03:41:33.5+01:00")))
                .contains(Instant.parse("2026-11-24T02:41:33.500Z"));
    }

    @Test
    void metadata_databaseChecksum_comesBackInAnyCase() {
        Map<String, String> metadata = S3Metadata.of(Instant.EPOCH, OptionalLong.of(0x8000_0000_0000_00abL));
        assertThat(metadata).containsEntry("litestream-database-checksum", "80000000000000ab");
        assertThat(S3Metadata.databaseChecksum(metadata)).hasValue(0x8000_0000_0000_00abL);
        assertThat(S3Metadata.databaseChecksum(Map.of("Litestream-Database-Checksum", "80000000000000AB")))
                .hasValue(0x8000_0000_0000_00abL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ab", "00000000000000ab", "80000000000000ag", "80000000000000ab0"})
    void databaseChecksum_nonsense_isNone(String text) {
        assertThat(S3Metadata.databaseChecksum(Map.of("litestream-database-checksum", text)))
                .isEmpty();
        assertThat(S3Metadata.databaseChecksum(Map.of())).isEmpty();
    }

    @Test
    void read_noneOrNonsense_isToldApart() {
        assertThat(S3Metadata.timestamp(Map.of("other", "x"))).isEmpty();
        assertThatThrownBy(() -> S3Metadata.timestamp(Map.of("litestream-timestamp", "yesterday")))
                .isInstanceOf(DateTimeException.class);
    }
}
