package org.litestream4j.spring.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.spring.DrillProperties;
import org.litestream4j.spring.LitestreamSettingException;
import org.springframework.util.unit.DataSize;

class DrillScheduleTest {

    private static final Instant NOW = Instant.parse("2026-11-24T01:00:00Z");

    private static DrillSchedule schedule(@Nullable String cron, @Nullable Duration interval) {
        return DrillSchedule.of(
                new DrillProperties(
                        true,
                        cron,
                        interval,
                        null,
                        List.of(),
                        true,
                        false,
                        Duration.ofHours(1),
                        DataSize.ofMegabytes(1),
                        25,
                        3),
                Clock.fixed(NOW, ZoneId.of("Europe/Berlin")));
    }

    @Test
    void cron_isInTheZoneOfTheClock() {
        assertThat(schedule("0 30 3 * * *", null).untilNext(NOW, NOW)).isEqualTo(Duration.ofMinutes(90));
    }

    @ParameterizedTest
    @CsvSource({
        "PT24H, PT-1H, PT23H", // a restart does not begin the interval again
        "PT24H, PT-25H, PT1M", // overdue: soon after the start
        "PT24H,       , PT1M",
        "PT30S,       , PT30S",
        "PT24H, PT48H, PT24H", // the clock was set back
    })
    void interval_countsFromTheLastDrill(Duration interval, @Nullable Duration last, Duration wait) {
        assertThat(schedule(null, interval).untilNext(NOW, last == null ? null : NOW.plus(last)))
                .isEqualTo(wait);
    }

    @Test
    void neitherOfBoth_isADay() {
        assertThat(schedule(null, null).untilNext(NOW.minusSeconds(3600), NOW)).isEqualTo(Duration.ofDays(1));
    }

    @Test
    void invalidSettings_areNamed() {
        assertThatThrownBy(() -> schedule("0 30 3 * * *", Duration.ofHours(1)))
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("litestream.drill.schedule and litestream.drill.interval");
        assertThatThrownBy(() -> schedule("every night", null))
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("litestream.drill.schedule");
        assertThatThrownBy(() -> schedule(null, Duration.ZERO))
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("litestream.drill.interval");
    }
}
