package org.litestream4j.compaction;

import java.time.Duration;
import java.util.List;

/**
 * The levels into which level 0 is merged.
 *
 * @param intervals intervals of levels 1, 2 and so on; each level gets about one file per interval. 1 to 8
 *     intervals of at least 1 s, each longer than the previous one
 */
public record Levels(List<Duration> intervals) {

    /** Litestream's default: 30 seconds, 5 minutes, 1 hour. */
    public static final Levels DEFAULT =
            new Levels(List.of(Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofHours(1)));

    private static final int MAX_LEVELS = 8;

    /** The allowed values, to complete the sentence "levels must be …". */
    public static final String ALLOWED =
            "1 to " + MAX_LEVELS + " intervals of at least 1 s, each longer than the one before";

    /** @throws IllegalArgumentException if the intervals are not {@link #ALLOWED} */
    public Levels {
        intervals = List.copyOf(intervals);
        if (!areAllowed(intervals)) {
            throw new IllegalArgumentException("levels = " + intervals + ": must be " + ALLOWED);
        }
    }

    /** Returns whether the intervals are {@link #ALLOWED}. */
    public static boolean areAllowed(List<Duration> intervals) {
        Duration before = Duration.ofSeconds(1).minusNanos(1);
        for (Duration interval : intervals) {
            if (interval.compareTo(before) <= 0) {
                return false;
            }
            before = interval;
        }
        return !intervals.isEmpty() && intervals.size() <= MAX_LEVELS;
    }

    /** Returns the number of the highest level that is merged into. */
    int highest() {
        return intervals.size();
    }

    /** Returns the interval of a level in milliseconds. */
    long interval(int level) {
        return intervals.get(level - 1).toMillis();
    }
}
