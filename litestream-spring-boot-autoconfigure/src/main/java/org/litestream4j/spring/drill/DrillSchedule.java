package org.litestream4j.spring.drill;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import org.jspecify.annotations.Nullable;
import org.litestream4j.spring.DrillProperties;
import org.litestream4j.spring.LitestreamSettingException;
import org.springframework.scheduling.support.CronExpression;

/** Decides when the next drills start. Immutable. */
final class DrillSchedule {

    static final Duration DEFAULT_INTERVAL = Duration.ofHours(24);

    /** Time after the start of the application before which no drill starts: a start has other work to do. */
    static final Duration AFTER_START = Duration.ofMinutes(1);

    private final @Nullable CronExpression cron;
    private final Duration interval;
    private final Clock clock;

    private DrillSchedule(@Nullable CronExpression cron, Duration interval, Clock clock) {
        this.cron = cron;
        this.interval = interval;
        this.clock = clock;
    }

    /** @throws LitestreamSettingException if the settings contradict each other or are invalid */
    static DrillSchedule of(DrillProperties settings, Clock clock) {
        String schedule = settings.schedule();
        Duration interval = settings.interval();
        if (schedule != null && interval != null) {
            throw new LitestreamSettingException(
                    "litestream.drill.schedule and litestream.drill.interval contradict each other.",
                    "Remove one of them.");
        }
        if (interval != null && interval.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new LitestreamSettingException(
                    "litestream.drill.interval = " + interval + " is out of range.", "Write at least 1s.");
        }
        try {
            return new DrillSchedule(
                    schedule == null ? null : CronExpression.parse(schedule),
                    interval == null ? DEFAULT_INTERVAL : interval,
                    clock);
        } catch (IllegalArgumentException e) {
            throw new LitestreamSettingException(
                    "litestream.drill.schedule is no cron expression: " + e.getMessage() + ".",
                    "Write six fields: second, minute, hour, day of month, month, day of week; \"0 30 3 * * *\" is"
                            + " every day at 3:30.");
        }
    }

    /**
     * Returns the time until the next drills; null if the schedule has no further time.
     *
     * @param started time at which the application started
     * @param last start of the last drills, of this or an earlier run; null if there were none
     */
    @Nullable
    Duration untilNext(Instant started, @Nullable Instant last) {
        Instant now = clock.instant();
        if (cron != null) {
            ZonedDateTime next = cron.next(now.atZone(clock.getZone()));
            return next == null ? null : Duration.between(now, next);
        }
        Instant earliest = started.plus(min(AFTER_START, interval));
        Instant due = last == null ? earliest : last.plus(interval);
        Duration wait = Duration.between(now, due.isBefore(earliest) ? earliest : due);
        return wait.isNegative() ? Duration.ZERO : min(wait, interval); // the clock may have been set back
    }

    private static Duration min(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
