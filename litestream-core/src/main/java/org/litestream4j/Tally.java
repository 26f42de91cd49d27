package org.litestream4j;

import java.time.Duration;

/**
 * Count and duration of one kind of operation since the start of the process.
 *
 * @param count completed attempts, failed ones included
 * @param failures failed attempts
 * @param bytes bytes of content moved, as far as known; 0 if nothing is moved
 * @param total total time of all attempts
 * @param longest time of the longest attempt
 */
public record Tally(long count, long failures, long bytes, Duration total, Duration longest) {

    /** The tally of an operation that has not run yet. */
    public static final Tally NONE = new Tally(0, 0, 0, Duration.ZERO, Duration.ZERO);
}
