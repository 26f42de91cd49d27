package org.litestream4j.compaction;

import java.util.concurrent.TimeUnit;

/**
 * Whether the wall clock can be trusted with deletions: it is compared with the monotonic clock, and after a jump of either (a
 * corrected clock, a suspended machine), or if it is far from the newest file at the beginning (a clock that was not set yet, or a
 * long rest), it must run evenly for an hour. Not thread-safe.
 */
final class ClockCheck {

    static final long PAUSE_NANOS = TimeUnit.HOURS.toNanos(1);

    private static final long FAR_MILLIS = TimeUnit.DAYS.toMillis(1);

    private static final long TOLERANCE_MILLIS = TimeUnit.MINUTES.toMillis(1);

    /** A clock that is brought right slowly may be off by this part of the time that passed. */
    private static final long DRIFT = 1000;

    private boolean started;
    private long wall;
    private long monotonic;
    private boolean doubted;
    private long doubtedAt;

    /**
     * Compares the clock with the newest file, once: before anything else.
     *
     * @param newestMillis when it was written, by whatever clock
     */
    void begin(long wallMillis, long nanos, long newestMillis) {
        if (!started && Math.abs(wallMillis - newestMillis) > FAR_MILLIS) {
            doubted = true;
            doubtedAt = nanos;
        }
    }

    /**
     * Compares the clocks.
     *
     * @param wallMillis since the epoch
     * @param nanos monotonic
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
