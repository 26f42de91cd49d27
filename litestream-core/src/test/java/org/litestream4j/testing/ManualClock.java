package org.litestream4j.testing;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** A clock that a test moves: the wall clock, and {@link #nanoTime} for the monotonic one. Thread-safe. */
public final class ManualClock extends Clock {

    private volatile Instant now = Instant.parse("2026-03-01T12:00:00Z");
    private volatile long nanos;

    /** Both clocks advance. */
    public synchronized void advance(Duration duration) {
        now = now.plus(duration);
        nanos += duration.toNanos();
    }

    /** Only the wall clock moves: somebody set it, or the machine was suspended. */
    public synchronized void jump(Duration duration) {
        now = now.plus(duration);
    }

    /** Only the monotonic clock advances. */
    public synchronized void advanceMonotonic(Duration duration) {
        nanos += duration.toNanos();
    }

    public long nanoTime() {
        return nanos;
    }

    @Override
    public Instant instant() {
        return now;
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }
}
