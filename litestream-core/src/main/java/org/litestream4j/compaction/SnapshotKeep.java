package org.litestream4j.compaction;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;

/**
 * Snapshots that are kept beyond the retention: for each of the last hours, days, weeks, months and years, the first
 * snapshot of that period; for a period without a snapshot, the last one before it. The current period counts as the
 * last one. Periods are those of UTC; weeks begin on Monday.
 *
 * @param hourly number of hours, 0 to {@value #MOST}; the same for the other periods
 */
public record SnapshotKeep(int hourly, int daily, int weekly, int monthly, int yearly) {

    /** Largest number of periods of one kind. */
    public static final int MOST = 1000;

    /** Keeps no snapshots beyond the retention. */
    public static final SnapshotKeep NONE = new SnapshotKeep(0, 0, 0, 0, 0);

    /** The periods. */
    public enum Period {
        HOURLY(ChronoUnit.HOURS, Duration.ofHours(1)),
        DAILY(ChronoUnit.DAYS, Duration.ofDays(1)),
        WEEKLY(ChronoUnit.WEEKS, Duration.ofDays(7)),
        MONTHLY(ChronoUnit.MONTHS, Duration.ofDays(28)),
        YEARLY(ChronoUnit.YEARS, Duration.ofDays(365));

        private final ChronoUnit unit;
        private final Duration shortest;

        Period(ChronoUnit unit, Duration shortest) {
            this.unit = unit;
            this.shortest = shortest;
        }

        /** Returns the length of the shortest period of this kind. */
        public Duration shortest() {
            return shortest;
        }

        /** Returns the beginning of a period, in milliseconds since the epoch. */
        long start(long now, int periodsAgo) {
            ZonedDateTime time = Instant.ofEpochMilli(now).atZone(ZoneOffset.UTC);
            ZonedDateTime day = time.truncatedTo(ChronoUnit.DAYS);
            ZonedDateTime start =
                    switch (this) {
                        case HOURLY -> time.truncatedTo(ChronoUnit.HOURS);
                        case DAILY -> day;
                        case WEEKLY -> day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
                        case MONTHLY -> day.withDayOfMonth(1);
                        case YEARLY -> day.withDayOfYear(1);
                    };
            return start.minus(periodsAgo, unit).toInstant().toEpochMilli();
        }
    }

    /** @throws IllegalArgumentException if a number is out of range; names it and the allowed values */
    public SnapshotKeep {
        check("hourly", hourly);
        check("daily", daily);
        check("weekly", weekly);
        check("monthly", monthly);
        check("yearly", yearly);
    }

    private static void check(String name, int count) {
        if (count < 0 || count > MOST) {
            throw new IllegalArgumentException(name + " = " + count + ": must be 0 to " + MOST);
        }
    }

    /** Returns whether no snapshots are kept beyond the retention. */
    public boolean isNone() {
        return equals(NONE);
    }

    /** Returns the number of periods of one kind. */
    public int count(Period period) {
        return switch (period) {
            case HOURLY -> hourly;
            case DAILY -> daily;
            case WEEKLY -> weekly;
            case MONTHLY -> monthly;
            case YEARLY -> yearly;
        };
    }
}
