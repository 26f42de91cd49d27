package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.file.FileReplicaProvider;

class RestoreTargetTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-24T10:00:00Z"), ZoneOffset.UTC);

    @ParameterizedTest
    @CsvSource({
        "2026-11-24T09:15:30Z, 2026-11-24T09:15:30Z",
        "2026-11-24T09:15:30.123456Z, 2026-11-24T09:15:30.123456Z",
        "2026-11-24T10:15:30+01:00, 2026-11-24T09:15:30Z",
        "2026-11-24T10:15:30.5+01:00[Europe/Berlin], 2026-11-24T09:15:30.500Z",
        "2026-11-24T09:15Z, 2026-11-24T09:15:00Z",
        "5 minutes ago, 2026-11-24T09:55:00Z",
        "1 Hour ago, 2026-11-24T09:00:00Z",
        "30s ago, 2026-11-24T09:59:30Z",
        "2d ago, 2026-11-22T10:00:00Z",
        " 0 sec ago , 2026-11-24T10:00:00Z",
    })
    void timestamp_textOfAMoment_isUnderstood(String text, Instant moment) {
        assertThat(RestoreTarget.timestamp(text, CLOCK)).isEqualTo(RestoreTarget.timestamp(moment));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "yesterday",
                "2026-11-24",
                "2026-11-24T09:15:30",
                "2026-13-24T09:15:30Z",
                "5 fortnights ago",
                "-5 minutes ago",
                "99999999999 minutes ago"
            })
    void timestamp_otherText_isRefusedWithExamples(String text) {
        assertThatThrownBy(() -> RestoreTarget.timestamp(text, CLOCK))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + text + "\"")
                .hasMessageContaining("2026-11-24T10:15:30Z");
    }

    @Test
    void txid_none_isRefused() {
        assertThatThrownBy(() -> RestoreTarget.txid(Txid.NONE)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void options_outOfRangeOrContradicting_areRefusedByName() throws Exception {
        for (int parallelism : new int[] {0, -1, RestoreOptions.MAX_PARALLELISM + 1}) {
            assertThatThrownBy(() ->
                            RestoreOptions.builder().parallelism(parallelism).build())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("parallelism")
                    .hasMessageContaining(Integer.toString(parallelism));
        }
        try (var local = FileReplicaProvider.at(java.nio.file.Path.of("nowhere"))) {
            assertThatThrownBy(() -> RestoreOptions.builder()
                            .local(local)
                            .target(RestoreTarget.txid(new Txid(1)))
                            .build())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("TXID 0000000000000001");
        }
    }
}
