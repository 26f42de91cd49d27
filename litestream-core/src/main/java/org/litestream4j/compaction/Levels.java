package org.litestream4j.compaction;

import java.time.Duration;
import java.util.List;

/**
 * The levels into which level 0 is merged.
 *
 * @param intervals of level 1, 2 and so on: each level gets about one file in this time; 1 to 8 of them, at least one second
 *     each, each longer than the one before
 */
public record Levels(List<Duration> intervals) {

    /** Litestream's: 30 seconds, 5 minutes, 1 hour. */
    public static final Levels DEFAULT =
            new Levels(List.of(Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofHours(1)));

    private static final int MOST = 8;

    /** Completes the sentence "levels must be …". */
    public static final String ALLOWED = "1 to " + MOST + " intervals of at least 1 s, each longer than the one before";

    /** @throws IllegalArgumentException if they are not {@link #ALLOWED} */
    public Levels {
        intervals = List.copyOf(intervals);
        if (!areAllowed(intervals)) {
            throw new IllegalArgumentException("levels = " + intervals + ": must be " + ALLOWED);
        }
    }

    /** Whether intervals are {@link #ALLOWED}. */
    public static boolean areAllowed(List<Duration> intervals) {
        Duration before = Duration.ofSeconds(1).minusNanos(1);
        for (Duration interval : intervals) {
            if (interval.compareTo(before) <= 0) {
                return false;
            }
            before = interval;
        }
        return !intervals.isEmpty() && intervals.size() <= MOST;
    }

    /** Number of the highest level that is merged into. */
    int highest() {
        return intervals.size();
    }

    /** Milliseconds. */
    long interval(int level) {
        return intervals.get(level - 1).toMillis();
    }
}
