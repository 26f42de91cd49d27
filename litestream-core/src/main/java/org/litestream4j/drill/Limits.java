package org.litestream4j.drill;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.FreeSpace;

/**
 * Limits of one drill: its time, the free space that it leaves, and its load, which it keeps by pauses in proportion to
 * its work. Thread-safe.
 */
final class Limits {

    private static final long SPACE_CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Shortest pause; shorter ones are added up. */
    private static final long SHORTEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** Work counted at most for one step: a longer step was mostly a wait. */
    private static final long LONGEST_STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final DrillOptions options;
    private final long started = System.nanoTime();
    private final AtomicLong paused = new AtomicLong();
    private final AtomicLong spaceChecked = new AtomicLong(started - SPACE_CHECK_NANOS);

    private volatile @Nullable String exceeded;

    Limits(DrillOptions options) {
        this.options = options;
    }

    /** Returns whether the drill must end; {@link #exceeded} then returns why. */
    boolean areExceeded() {
        if (exceeded == null) {
            exceeded = check();
        }
        return exceeded != null;
    }

    /** Returns the exceeded limit with its remedy; null if there is none. */
    @Nullable
    String exceeded() {
        return exceeded;
    }

    private @Nullable String check() {
        if (options.cancelled().getAsBoolean()) {
            return "the drill was cancelled";
        }
        if (elapsed().compareTo(options.timeout()) > 0) {
            return "the drill took longer than its timeout of " + options.timeout()
                    + "; raise the timeout, or the load that the drill may cause";
        }
        return checkSpace();
    }

    private @Nullable String checkSpace() {
        long now = System.nanoTime();
        long last = spaceChecked.get();
        if (now - last < SPACE_CHECK_NANOS || !spaceChecked.compareAndSet(last, now)) {
            return null;
        }
        Path directory = options.directory();
        long free = FreeSpace.of(directory);
        return free >= options.minFree()
                ? null
                : "the disk of " + directory + " has only " + free + " bytes left, and the drill leaves "
                        + options.minFree() + " free; free some space, or use a directory on another disk";
    }

    /**
     * Pauses in proportion to work that was done.
     *
     * @param work in nanoseconds
     */
    void pauseAfter(Work work) {
        long now = System.nanoTime();
        work.nanos += Math.min(now - work.begun, LONGEST_STEP_NANOS);
        long pause = work.nanos * (100 - options.load()) / options.load();
        if (pause >= SHORTEST_PAUSE_NANOS) {
            LockSupport.parkNanos(pause);
            work.nanos = 0;
            long end = System.nanoTime();
            paused.addAndGet(end - now);
            now = end;
        }
        work.begun = now;
    }

    /** Returns the time since the start. */
    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - started);
    }

    /** Returns the total duration of all pauses of all threads. */
    Duration paused() {
        return Duration.ofNanos(paused.get());
    }

    /** Work of one thread since its last pause. Confined to this thread. */
    static final class Work {
        private long begun = System.nanoTime();
        private long nanos;
    }
}
