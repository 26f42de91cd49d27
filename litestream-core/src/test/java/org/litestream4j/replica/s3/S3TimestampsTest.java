package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class S3TimestampsTest {

    @ParameterizedTest
    @CsvSource({
        "2026-11-24T02:41:33.910Z, 2026-11-24T02:41:33.91Z",
        "2026-11-24T02:41:33Z, 2026-11-24T02:41:33Z",
        "2026-11-24T02:41:00Z, 2026-11-24T02:41:00Z",
        "2026-11-24T02:41:33.000000001Z, 2026-11-24T02:41:33.000000001Z",
        "1970-01-01T00:00:00.001Z, 1970-01-01T00:00:00.001Z",
    })
    void metadata_moment_isWrittenAsLitestreamDoes(Instant moment, String text) {
        Map<String, String> metadata = S3Timestamps.metadata(moment);
        assertThat(metadata).containsExactly(Map.entry("litestream-timestamp", text));
        assertThat(S3Timestamps.read(metadata)).contains(moment);
    }

    @Test
    void read_otherCaseAndZone_isUnderstood() {
        assertThat(S3Timestamps.read(Map.of("Litestream-Timestamp", "2026-11-24T03:41:33.5+01:00")))
                .contains(Instant.parse("2026-11-24T02:41:33.500Z"));
    }

    @Test
    void read_noneOrNonsense_isToldApart() {
        assertThat(S3Timestamps.read(Map.of("other", "x"))).isEmpty();
        assertThatThrownBy(() -> S3Timestamps.read(Map.of("litestream-timestamp", "yesterday")))
                .isInstanceOf(DateTimeException.class);
    }
}
