package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.ltx.Txid;
import org.litestream4j.spring.LitestreamProperties;
import org.springframework.boot.health.contributor.Health;

class LitestreamHealthIndicatorTest {

    @ParameterizedTest
    @CsvSource({
        "REPLICATING, PT0S, UP",
        "REPLICATING, PT59.999S, UP",
        "REPLICATING, PT1M, DEGRADED",
        "REPLICATING, PT9M59S, DEGRADED",
        "REPLICATING, PT10M, DOWN",
        "WAITING, PT0S, UP",
        "PASSIVE, PT0S, UP",
        "CONFLICT, PT0S, DOWN",
        "STOPPED, PT0S, DOWN",
    })
    void status_followsStateAndLag(DatabaseState state, Duration lag, String expected) {
        Health health = health(status("app.db", state, lag, null));
        assertThat(health.getStatus().getCode()).isEqualTo(expected);
    }

    @Test
    void worstDatabase_decides() {
        DatabaseStatus up = status("a", DatabaseState.REPLICATING, Duration.ZERO, null);
        DatabaseStatus degraded = status("b", DatabaseState.REPLICATING, Duration.ofMinutes(2), null);
        DatabaseStatus down = status("c", DatabaseState.CONFLICT, Duration.ZERO, null);
        assertThat(health(up, degraded).getStatus().getCode()).isEqualTo("DEGRADED");
        assertThat(health(degraded, up).getStatus().getCode()).isEqualTo("DEGRADED");
        assertThat(health(down, degraded, up).getStatus().getCode()).isEqualTo("DOWN");
        assertThat(health(up, down, degraded).getStatus().getCode()).isEqualTo("DOWN");
        assertThat(health().getStatus().getCode()).isEqualTo("UP");
    }

    @Test
    void details_tellPositionsAndTheLastError() {
        Health health =
                health(status("app.db", DatabaseState.REPLICATING, Duration.ofMillis(1500), "no network; wait"));
        assertThat(health.getDetails())
                .containsExactly(Map.entry(
                        "app.db",
                        Map.of(
                                "status", "UP",
                                "state", DatabaseState.REPLICATING,
                                "captured", "000000000000000a",
                                "replicated", "0000000000000009",
                                "lag", "PT1.5S",
                                "lastError", "no network; wait",
                                "lastErrorAt", "1970-01-01T00:00:00Z")));
    }

    private static Health health(DatabaseStatus... databases) {
        return new LitestreamHealthIndicator(
                        () -> List.of(databases),
                        new LitestreamProperties.Health(Duration.ofMinutes(1), Duration.ofMinutes(10)))
                .health();
    }

    private static DatabaseStatus status(String name, DatabaseState state, Duration lag, String error) {
        return new DatabaseStatus(
                name,
                Path.of("/data/app.db"),
                "file:///backup",
                state,
                new Txid(10),
                new Txid(9),
                lag,
                error,
                error == null ? null : Instant.EPOCH);
    }
}
