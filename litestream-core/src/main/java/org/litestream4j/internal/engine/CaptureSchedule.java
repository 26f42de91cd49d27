package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.engine.ReplicationWaits.Urgency;
import org.litestream4j.ltx.Txid;

/**
 * Decides when the capture lane captures: immediately for waiting commits, otherwise one sync interval after the last
 * capture, and never if nothing was committed. A hint precedes the visibility of its commit; therefore, a capture is
 * followed by several checks at increasing intervals. Confined to the lane, except where noted.
 */
final class CaptureSchedule {

    /**
     * Time until the first check after a hint, which precedes the visibility of its commit. The interval then doubles.
     */
    private static final long FIRST_CHECK_NANOS = TimeUnit.MICROSECONDS.toNanos(250);

    private static final int MAX_CHECKS = 12;

    /**
     * Upper limit of the capture interval during an outage of the replica. Below it, the interval is a tenth of the
     * duration of the outage.
     */
    private static final Duration MAX_INTERVAL = Duration.ofSeconds(60);

    private final Duration syncInterval;
    private final Capture capture;
    private final Progress progress;
    private final ReplicationWaits waits;
    private final OperationReports operations;
    private final Clock clock;
    private final Lane lane;

    private volatile boolean hinted;
    private volatile boolean lookAsked;

    /** Time since which a commit may be uncaptured; null if there is none. */
    private volatile @Nullable Instant uncapturedSince;

    /** Start of the capture that is not on the replica yet, as known to this lane. */
    private volatile @Nullable Instant capturedSince;

    private boolean lookAgain;
    private int checks;
    private long lastCapture;

    CaptureSchedule(
            Duration syncInterval,
            Capture capture,
            Progress progress,
            ReplicationWaits waits,
            OperationReports operations,
            Clock clock,
            Lane lane) {
        this.syncInterval = syncInterval;
        this.capture = capture;
        this.progress = progress;
        this.waits = waits;
        this.operations = operations;
        this.clock = clock;
        this.lane = lane;
        this.lastCapture = System.nanoTime() - syncInterval.toNanos();
    }

    /**
     * Records that a commit is about to happen, or may have happened. Returns whether the lane must be woken for it.
     * Thread-safe.
     */
    boolean hint() {
        if (hinted) {
            return false;
        }
        expect();
        return true;
    }

    /** Makes the next capture due at its regular time, even without a hint. Thread-safe. */
    void expect() {
        hinted = true;
        if (uncapturedSince == null) {
            uncapturedSince = clock.instant();
        }
    }

    /** Records that files have changed, so that the lane checks for uncaptured commits. Thread-safe. */
    void checkForCommits() {
        lookAsked = true;
    }

    /** Records that capture has ended, so that hints need not wake the lane. */
    void ignoreHints() {
        hinted = true;
    }

    /** Records that the database was opened. Commits before that count as neither captured nor replicated. */
    void attached() {
        expect();
        capturedSince = uncapturedSince;
    }

    /** Returns the time since which a commit may be uncaptured; null if there is none. Thread-safe. */
    @Nullable
    Instant uncapturedSince() {
        return uncapturedSince;
    }

    /**
     * Returns the time since which a captured change may be unreplicated, as known to this lane. The upload lane has
     * the exact time once it handles the change. Thread-safe.
     */
    @Nullable
    Instant capturedSince() {
        return capturedSince;
    }

    /** @param replicated newest transaction on the replica */
    void captureIfDue(Txid replicated) throws IOException {
        if (isCaptureWanted(replicated)
                || System.nanoTime() - lastCapture - interval().toNanos() >= 0) {
            captureNow(replicated);
        } else if (!hinted && (checks > 0 || lookAsked)) {
            lookAsked = false;
            long ticket = waits.newest();
            if (capture.hasMore()) {
                checks = 0;
                expect();
            } else {
                waits.captured(ticket, capture.captured());
                countCheck();
            }
        }
        if (!hinted && checks == 0) {
            uncapturedSince = null;
            if (hinted) { // a hint arrived meanwhile
                expect();
            }
        }
    }

    /**
     * Returns whether waiting commits are to be captured now. They are captured when the previous upload is done, so
     * that all commits in the meantime share the next upload.
     */
    private boolean isCaptureWanted(Txid replicated) {
        if (waits.wants(Urgency.NOW)) {
            return true;
        }
        if (replicated.isBefore(capture.captured()) || !waits.wants(Urgency.NEXT_UPLOAD)) {
            return false;
        }
        long gather = waits.nanosToGather();
        if (gather > 0) {
            lane.wakeIn(gather);
        }
        return gather == 0;
    }

    private void captureNow(Txid replicated) throws IOException {
        long ticket = waits.newest();
        boolean expected = hinted;
        Instant begun = clock.instant();
        hinted = false;
        lookAsked = false;
        Txid before = capture.captured();
        lookAgain = operations.observe(
                Kind.SYNC,
                LitestreamOperation.NO_LEVEL,
                more -> Outcome.succeeded(capture.captured(), 0),
                capture::capture);
        waits.captured(ticket, capture.captured());
        if (lookAgain) {
            lastCapture = System.nanoTime();
            if (!replicated.isBefore(before)) {
                capturedSince = begun;
            }
        }
        if (expected) { // its commit may have become visible after the capture
            uncapturedSince = begun;
            checks = 1;
        } else {
            countCheck();
        }
    }

    private void countCheck() {
        checks = checks > 0 && checks < MAX_CHECKS ? checks + 1 : 0;
    }

    /** Schedules a wake-up for the next capture, check or checkpoint. */
    void planNext() throws IOException {
        if (hinted || lookAgain) {
            lane.wakeIn(Math.max(0, lastCapture + interval().toNanos() - System.nanoTime()));
        }
        if (checks > 0) {
            lane.wakeIn(FIRST_CHECK_NANOS << (checks - 1));
        } else if (!hinted && !lookAgain) {
            capture.closeIdleConnections();
        }
        long checkpoint = capture.nanosUntilCheckpoint();
        if (checkpoint >= 0) {
            lane.wakeIn(Math.max(checkpoint, FIRST_CHECK_NANOS));
        }
    }

    private Duration interval() {
        Progress.Failure outage = progress.failure(Step.UPLOAD);
        if (outage == null) {
            return syncInterval;
        }
        Duration stretched = Duration.between(outage.at(), Instant.now(clock)).dividedBy(10);
        Duration longest = stretched.compareTo(MAX_INTERVAL) < 0 ? stretched : MAX_INTERVAL;
        return longest.compareTo(syncInterval) > 0 ? longest : syncInterval;
    }
}
