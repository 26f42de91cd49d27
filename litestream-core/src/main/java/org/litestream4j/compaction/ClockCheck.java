package org.litestream4j.compaction;

import java.util.concurrent.TimeUnit;

/**
 * Checks whether the wall clock can be trusted for deletions. The wall clock is compared with the monotonic clock.
 * After a jump of either clock (a corrected clock, a suspended machine), it is trusted again once it has run evenly for
 * an hour. The same applies if it differs widely from the newest file at the start (a clock that was not set yet, or a
 * long shutdown). Not thread-safe.
 */
final class ClockCheck {

    static final long PAUSE_NANOS = TimeUnit.HOURS.toNanos(1);

    private static final long MAX_DIFFERENCE_MILLIS = TimeUnit.DAYS.toMillis(1);

    private static final long TOLERANCE_MILLIS = TimeUnit.MINUTES.toMillis(1);

    /** Divisor of the elapsed time that gives the tolerated deviation of a clock that is being adjusted slowly. */
    private static final long DRIFT = 1000;

    private boolean started;
    private long wall;
    private long monotonic;
    private boolean doubted;
    private long doubtedAt;

    /**
     * Compares the clock with the newest file. Call once, before any other method.
     *
     * @param newestMillis time at which the newest file was written, by any clock, in milliseconds since the epoch
     */
    void begin(long wallMillis, long nanos, long newestMillis) {
        if (!started && Math.abs(wallMillis - newestMillis) > MAX_DIFFERENCE_MILLIS) {
            doubted = true;
            doubtedAt = nanos;
        }
    }

    /**
     * Compares the clocks and returns whether the wall clock can be trusted.
     *
     * @param wallMillis wall clock time, in milliseconds since the epoch
     * @param nanos monotonic time, in nanoseconds
     */
    boolean isTrusted(long wallMillis, long nanos) {
        if (started) {
            long elapsed = TimeUnit.NANOSECONDS.toMillis(nanos - monotonic);
            if (Math.abs(wallMillis - wall - elapsed) > TOLERANCE_MILLIS + elapsed / DRIFT) {
                doubted = true;
                doubtedAt = nanos;
            }
        }
        started = true;
        wall = wallMillis;
        monotonic = nanos;
        if (doubted && nanos - doubtedAt >= PAUSE_NANOS) {
            doubted = false;
        }
        return !doubted;
    }
}
