package org.litestream4j;

import java.time.Duration;

/**
 * How often something was done since the start, and what it took.
 *
 * @param count attempts that ended, failed ones included
 * @param failures of them
 * @param bytes of content that were moved, as far as known; 0 where nothing is moved
 * @param total time of all attempts
 * @param longest time of one attempt
 */
public record Tally(long count, long failures, long bytes, Duration total, Duration longest) {

    /** Nothing was done yet. */
    public static final Tally NONE = new Tally(0, 0, 0, Duration.ZERO, Duration.ZERO);
}
