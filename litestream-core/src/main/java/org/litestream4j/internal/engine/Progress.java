package org.litestream4j.internal.engine;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.sql.SQLException;
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
import org.litestream4j.error.OptionNames;
import org.litestream4j.error.RemedyException;
import org.litestream4j.internal.capture.CaptureException;
import org.litestream4j.internal.files.NativeLibrary;
import org.litestream4j.internal.files.SqliteCode;
import org.litestream4j.replica.ReplicaAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Progress of one database's lanes: the last error of each lane, and a signal for every change. Thread-safe. */
final class Progress {

    /**
     * The last failure of a step, and the time of its first occurrence.
     *
     * @param text description of the failure
     * @param at time at which the failure began
     * @param diskFull whether a full disk is the cause
     * @param refused whether the failure persists until the operator acts, so that waiting does not help
     * @param number number that differs for each failure
     */
    record Failure(String text, Instant at, boolean diskFull, boolean refused, long number) {}

    private static final Logger log = LoggerFactory.getLogger(Progress.class);

    private final String database;
    private final String replica;
    private final EngineCounters counters;
    private final LitestreamListener listener;
    private final OptionNames optionNames;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Throwable conflict;
    private final Condition changed = lock.newCondition();
    private final AtomicLong failed = new AtomicLong();
    private final Map<Step, Failure> failures = new ConcurrentHashMap<>();

    /** @param replica address of the replica, without secrets */
    Progress(
            String database,
            String replica,
            EngineCounters counters,
            LitestreamListener listener,
            OptionNames optionNames) {
        this.database = database;
        this.replica = replica;
        this.counters = counters;
        this.listener = listener;
        this.optionNames = optionNames;
    }

    /** Returns an exception for a lane or check that could not be started. */
    static IOException cannotStart(Throwable e) {
        return new IOException(
                "cannot start a thread: " + e
                        + "; raise the limit of threads of the user or the container, or free memory; the start"
                        + " is retried every second",
                e);
    }

    /** Returns a listener for the lane of a step, which reports failed starts as errors of that step. */
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

    /** Records a failure; returns true if the step had not failed before. */
    boolean failed(Step step, Throwable error, Instant now) {
        Failure before = failure(step);
        Failure failure = note(step, before, error, now);
        if (before == null) {
            listener.onEvent(new LitestreamEvent.ReplicationFailed(database, replica, step, failure.text(), now));
        }
        return before == null;
    }

    /** Records that another program writes to the replica, so that the reason is available from here on. */
    void noteConflict(Throwable error, Instant now) {
        conflict = error;
        note(Step.UPLOAD, failure(Step.UPLOAD), error, now);
    }

    /** Returns the conflict that has stopped replication; null if there is none. */
    @Nullable
    Throwable conflict() {
        return conflict;
    }

    /** Reports that the captured state does not lead to the database. */
    void auditFailed(String problem) {
        listener.onEvent(new LitestreamEvent.AuditFailed(database, replica, problem));
    }

    /** Reports a conflict; no further event follows. */
    void conflict(Throwable error) {
        listener.onEvent(new LitestreamEvent.Conflict(database, replica, text(error)));
    }

    /** Reports a repair with its cause. */
    void healed(String problem, String remedy) {
        listener.onEvent(new LitestreamEvent.Healed(database, replica, problem, remedy));
    }

    private Failure note(Step step, @Nullable Failure before, Throwable error, Instant now) {
        String text = text(error);
        boolean diskFull = DiskFull.isCauseOf(error);
        counters.failed(step, diskFull);
        boolean refused = error instanceof ReplicaAccessException
                || error instanceof LitestreamException
                || (error instanceof CaptureException capture && capture.isRefused() && !diskFull)
                || isNoDatabase(error.getCause())
                || NativeLibrary.isCauseOf(error);
        Instant since = before != null ? before.at() : now;
        Failure failure = new Failure(text, since, diskFull, refused, failed.incrementAndGet());
        failures.put(step, failure);
        signal();
        return failure;
    }

    private String text(Throwable error) {
        if (error instanceof RemedyException known) {
            return known.message(optionNames);
        }
        boolean speaks = error instanceof IOException
                && error.getMessage() != null
                && !(error instanceof FileSystemException); // its message is only a file name
        return speaks ? String.valueOf(error.getMessage()) : error.toString();
    }

    private static boolean isNoDatabase(@Nullable Throwable cause) {
        return cause instanceof SQLException e && SqliteCode.primary(e) == SqliteCode.NOTADB;
    }

    /** Returns the number of failures of all steps so far. */
    long failures() {
        return failed.get();
    }

    /** Returns whether the last attempt of a step failed, later than the given number of {@link #failures}. */
    boolean hasFailedSince(Step step, long failures) {
        Failure last = failure(step);
        return last != null && last.number() > failures;
    }

    /**
     * Returns whether the last attempt to capture or to upload was refused, later than the given number of {@link
     * #failures}.
     */
    boolean isRefusedSince(long failures) {
        return isRefusedSince(Step.CAPTURE, failures) || isRefusedSince(Step.UPLOAD, failures);
    }

    /** Returns whether the last attempt of a step was refused. */
    boolean isRefused(Step step) {
        Failure last = failure(step);
        return last != null && last.refused();
    }

    private boolean isRefusedSince(Step step, long failures) {
        Failure last = failure(step);
        return last != null && last.refused() && last.number() > failures;
    }

    /** Records a success; returns true if it ends a failure of this step. */
    boolean succeeded(Step step, Instant now) {
        Failure before = failures.remove(step);
        if (before == null) {
            return false;
        }
        signal();
        Duration outage = Duration.between(before.at(), now);
        listener.onEvent(new LitestreamEvent.ReplicationRecovered(
                database, replica, step, outage.isNegative() ? Duration.ZERO : outage)); // the clock was set back
        return true;
    }

    @Nullable
    Failure failure(Step step) {
        return failures.get(step);
    }

    /** Returns whether a full disk caused the last failure of a step. */
    boolean isDiskFull() {
        return failures.values().stream().anyMatch(Failure::diskFull);
    }

    /**
     * Waits until a condition holds; it is checked after every change.
     *
     * @throws TimeoutException if the condition does not hold within the timeout
     */
    void await(BooleanSupplier condition, Duration timeout) throws InterruptedException, TimeoutException {
        if (!reached(condition, timeout)) {
            throw new TimeoutException("not within " + timeout.toMillis() + " ms");
        }
    }

    /** Waits for a condition; returns false if it does not hold within the timeout. */
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
