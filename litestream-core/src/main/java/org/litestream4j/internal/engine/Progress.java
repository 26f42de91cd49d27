package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamException;
import org.litestream4j.LitestreamListener;
import org.litestream4j.internal.files.NativeLibrary;
import org.litestream4j.replica.ReplicaAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * What the lanes of one database tell each other and those who wait: the last error of each lane, and a signal for every
 * change. Thread-safe.
 */
final class Progress {

    /**
     * What went wrong last, and when it began.
     *
     * @param diskFull whether a full disk is the cause
     * @param refused whether it will go on until somebody changes something: waiting does not help
     * @param number another one each time
     */
    record Failure(String text, Instant at, boolean diskFull, boolean refused, long number) {}

    private static final Logger log = LoggerFactory.getLogger(Progress.class);

    private final String database;
    private final String replica;
    private final EngineCounters counters;
    private final LitestreamListener listener;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final AtomicLong failed = new AtomicLong();
    private final Map<Step, Failure> failures = new ConcurrentHashMap<>();

    /** @param replica address without secrets */
    Progress(String database, String replica, EngineCounters counters, LitestreamListener listener) {
        this.database = database;
        this.replica = replica;
        this.counters = counters;
        this.listener = listener;
    }

    /** That a lane or a check could not be started. */
    static IOException cannotStart(Throwable e) {
        return new IOException(
                "cannot start a thread: " + e
                        + "; raise the limit of threads of the user or the container, or free memory; it is"
                        + " retried every second",
                e);
    }

    /** For the lane of a step: shows as the step's error while it cannot be started. */
    Lane.StartListener starts(Step step, Clock clock) {
        return new Lane.StartListener() {
            @Override
            public void startFailed(Throwable e) {
                if (failed(step, cannotStart(e), clock.instant())) {
                    log.warn("cannot start a thread, will retry: db={} step={}", database, step, e);
                }
            }

            @Override
            public void started() {
                if (succeeded(step, clock.instant())) {
                    log.info("threads can be started again: db={} step={}", database, step);
                }
            }
        };
    }

    void signal() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** True if there was none of this step before. */
    boolean failed(Step step, Throwable error, Instant now) {
        boolean first = note(step, error, now);
        if (first) {
            listener.onEvent(new LitestreamEvent.ReplicationFailed(
                    database, replica, step, failures.get(step).text(), now));
        }
        return first;
    }

    /** Somebody else writes to the replica: the reason is known from here on. */
    void noteConflict(Throwable error, Instant now) {
        note(Step.UPLOAD, error, now);
    }

    /** What was captured does not lead to the database. */
    void auditFailed(String problem) {
        listener.onEvent(new LitestreamEvent.AuditFailed(database, replica, problem));
    }

    /** This is the last that is told of it. */
    void conflict(Throwable error) {
        listener.onEvent(new LitestreamEvent.Conflict(database, replica, String.valueOf(error.getMessage())));
    }

    /** What was wrong, and what was done about it. */
    void healed(String problem, String remedy) {
        listener.onEvent(new LitestreamEvent.Healed(database, replica, problem, remedy));
    }

    private boolean note(Step step, Throwable error, Instant now) {
        Failure before = failure(step);
        boolean speaks = error instanceof IOException
                && error.getMessage() != null
                && !(error instanceof FileSystemException); // that one only names a file
        String text = speaks ? String.valueOf(error.getMessage()) : error.toString();
        boolean diskFull = DiskFull.isCauseOf(error);
        counters.failed(step, diskFull);
        boolean refused = error instanceof ReplicaAccessException
                || error instanceof LitestreamException
                || isNoDatabase(error.getCause())
                || NativeLibrary.isCauseOf(error);
        Instant since = before != null ? before.at() : now;
        failures.put(step, new Failure(text, since, diskFull, refused, failed.incrementAndGet()));
        signal();
        return before == null;
    }

    private static boolean isNoDatabase(@Nullable Throwable cause) {
        return cause instanceof SQLiteException e && e.getResultCode() == SQLiteErrorCode.SQLITE_NOTADB;
    }

    /** Failures until now, of all steps. */
    long failures() {
        return failed.get();
    }

    /** Whether a step's last attempt failed, and later than so many {@link #failures}. */
    boolean hasFailedSince(Step step, long failures) {
        Failure last = failure(step);
        return last != null && last.number() > failures;
    }

    /** Whether the last attempt to capture or to upload was refused, and later than so many {@link #failures}. */
    boolean isRefusedSince(long failures) {
        return isRefusedSince(Step.CAPTURE, failures) || isRefusedSince(Step.UPLOAD, failures);
    }

    /** Whether a step's last attempt was refused. */
    boolean isRefused(Step step) {
        Failure last = failure(step);
        return last != null && last.refused();
    }

    private boolean isRefusedSince(Step step, long failures) {
        Failure last = failure(step);
        return last != null && last.refused() && last.number() > failures;
    }

    /** True if there was a failure of this step, now over. */
    boolean succeeded(Step step, Instant now) {
        Failure before = failures.remove(step);
        if (before == null) {
            return false;
        }
        signal();
        Duration outage = Duration.between(before.at(), now);
        listener.onEvent(new LitestreamEvent.ReplicationRecovered(
                database, replica, step, outage.isNegative() ? Duration.ZERO : outage)); // a clock that was set back
        return true;
    }

    @Nullable
    Failure failure(Step step) {
        return failures.get(step);
    }

    /** Whether a full disk is what a step met last. */
    boolean isDiskFull() {
        return failures.values().stream().anyMatch(Failure::diskFull);
    }

    /**
     * Waits until a condition holds; it is checked after every change.
     *
     * @throws TimeoutException if it does not hold in time
     */
    void await(BooleanSupplier condition, Duration timeout) throws InterruptedException, TimeoutException {
        if (!reached(condition, timeout)) {
            throw new TimeoutException("not within " + timeout.toMillis() + " ms");
        }
    }

    /** Waits for a condition; false if it did not come true in time. */
    private boolean reached(BooleanSupplier condition, Duration timeout) throws InterruptedException {
        long left = timeout.toNanos();
        lock.lockInterruptibly();
        try {
            while (!condition.getAsBoolean()) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
