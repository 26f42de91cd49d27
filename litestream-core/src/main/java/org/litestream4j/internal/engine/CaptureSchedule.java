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
 * When the capture lane captures: at once for commits that wait, else a sync interval after the last capture, and never if nothing
 * was committed. A hint comes before its commit is visible, so a capture is followed by some looks at growing distances. Confined to
 * the lane, except where noted.
 */
final class CaptureSchedule {

    /** A commit tells of itself just before it is visible: first look again after this time, then after twice as long. */
    private static final long FIRST_LOOK_NANOS = TimeUnit.MICROSECONDS.toNanos(250);

    private static final int MOST_LOOKS = 12;

    /** While the replica is away, captures are stretched to a tenth of the outage, but no further than this. */
    private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(60);

    private final Duration syncInterval;
    private final Capture capture;
    private final Progress progress;
    private final ReplicationWaits waits;
    private final Operations operations;
    private final Clock clock;
    private final Lane lane;

    private volatile boolean hinted;
    private volatile boolean lookAsked;

    /** Since when something may be committed that is not captured; null if nothing is. */
    private volatile @Nullable Instant uncapturedSince;

    /** When the capture began that the replica does not have, as far as this lane knows. */
    private volatile @Nullable Instant capturedSince;

    private boolean lookAgain;
    private int looks;
    private long lastCapture;

    CaptureSchedule(
            Duration syncInterval,
            Capture capture,
            Progress progress,
            ReplicationWaits waits,
            Operations operations,
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

    /** Something is about to be committed, or may have been. Any thread; true if the lane must be woken for it. */
    boolean hint() {
        if (hinted) {
            return false;
        }
        expect();
        return true;
    }

    /** The next capture is due at its time, whether or not a hint comes. Any thread. */
    void expect() {
        hinted = true;
        if (uncapturedSince == null) {
            uncapturedSince = clock.instant();
        }
    }

    /** Files have changed: the lane looks whether somebody committed what was not captured. Any thread. */
    void look() {
        lookAsked = true;
    }

    /** Nothing will be captured any more: hints need not wake the lane. */
    void ignoreHints() {
        hinted = true;
    }

    /** The database was opened: what was committed before is neither captured nor replicated, as far as is known. */
    void attached() {
        expect();
        capturedSince = uncapturedSince;
    }

    /** Since when something may be committed that is not captured; null if nothing is. Any thread. */
    @Nullable
    Instant uncapturedSince() {
        return uncapturedSince;
    }

    /** Since when something may be captured that is not replicated; the upload lane knows better once it is at it. Any thread. */
    @Nullable
    Instant capturedSince() {
        return capturedSince;
    }

    /** @param replicated what is on the replica */
    void captureIfDue(Txid replicated) throws IOException {
        if (isCaptureWanted(replicated)
                || System.nanoTime() - lastCapture - interval().toNanos() >= 0) {
            captureNow(replicated);
        } else if (!hinted && (looks > 0 || lookAsked)) {
            lookAsked = false;
            long ticket = waits.newest();
            if (capture.hasMore()) {
                looks = 0;
                expect();
            } else {
                waits.captured(ticket, capture.captured());
                countLook();
            }
        }
        if (!hinted && looks == 0) {
            uncapturedSince = null;
            if (hinted) { // in between
                expect();
            }
        }
    }

    /** Commits that wait are captured when the upload before theirs is done: so all that come meanwhile share the next. */
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
        if (expected) { // its commit may have become visible only after the capture
            uncapturedSince = begun;
            looks = 1;
        } else {
            countLook();
        }
    }

    private void countLook() {
        looks = looks > 0 && looks < MOST_LOOKS ? looks + 1 : 0;
    }

    /** Wakes the lane when the next capture, look or checkpoint is due. */
    void planNext() throws IOException {
        if (hinted || lookAgain) {
            lane.wakeIn(Math.max(0, lastCapture + interval().toNanos() - System.nanoTime()));
        }
        if (looks > 0) {
            lane.wakeIn(FIRST_LOOK_NANOS << (looks - 1));
        } else if (!hinted && !lookAgain) {
            capture.rest();
        }
        long checkpoint = capture.nanosUntilCheckpoint();
        if (checkpoint >= 0) {
            lane.wakeIn(Math.max(checkpoint, FIRST_LOOK_NANOS));
        }
    }

    private Duration interval() {
        Progress.Failure outage = progress.failure(Step.UPLOAD);
        if (outage == null) {
            return syncInterval;
        }
        Duration stretched = Duration.between(outage.at(), Instant.now(clock)).dividedBy(10);
        Duration longest = stretched.compareTo(LONGEST_INTERVAL) < 0 ? stretched : LONGEST_INTERVAL;
        return longest.compareTo(syncInterval) > 0 ? longest : syncInterval;
    }
}
