package org.litestream4j.capture;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.litestream4j.capture.SqliteSession.Checkpoint;
import org.litestream4j.wal.WalPosition;

/**
 * When and how the WAL is copied into the database file: in rounds that take no lock of the application's, and with the write
 * lock only when the WAL is over its limit. Confined to the capture lane.
 */
final class Checkpointer {

    private static final long PACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Rounds in a row that shorten the tail, before the write lock is taken, or the database let go. */
    private static final int ROUNDS_BEFORE_LOCK = 3;

    private final CaptureSettings settings;
    private final Capture capture;

    private boolean pending; // something was captured since the last complete round
    private boolean
            blocked; // the last round could not copy what was captured before: somebody else reads or checkpoints
    private long lastRound = System.nanoTime();

    Checkpointer(CaptureSettings settings, Capture capture) {
        this.settings = settings;
        this.capture = capture;
    }

    /** Something was captured. */
    void written() {
        pending = true;
    }

    boolean roundIfDue() throws IOException {
        if (nanosUntilDue() != 0) {
            return false;
        }
        round(false);
        return true;
    }

    /** In nanoseconds; 0 if a round is due now, negative if none will be without further writes. */
    long nanosUntilDue() {
        if (!pending || !capture.isContinuous()) {
            return -1;
        }
        boolean worth = capture.walPages() >= settings.minCheckpointPages();
        long wait = worth ? PACE_NANOS : settings.checkpointInterval().toNanos();
        return Math.max(0, lastRound + wait - System.nanoTime());
    }

    /** @param last whether the database is about to be let go, so that a complete round is worth more tries */
    void round(boolean last) throws IOException {
        lastRound = System.nanoTime();
        if (capture.position().atFrozenEnd() && capture.nothingAfterPosition()) {
            pending = false;
            return;
        }
        boolean frozen = rounds(last ? ROUNDS_BEFORE_LOCK : 1);
        if (!frozen && capture.walPages() > settings.walLimitPages()) {
            frozen = roundsBeforeLock() || (!blocked && lockedRound());
        }
        pending = !frozen;
        if (frozen) {
            capture.session().rest();
        }
    }

    /** Until one is complete and leaves our reader at mark 0. */
    private boolean rounds(int attempts) throws IOException {
        for (int i = 0; i < attempts; i++) {
            WalPosition before = capture.position().wal();
            capture.swapReaders(capture::thaw);
            if (capture.position().atFrozenEnd()) {
                return true; // nothing was committed since
            }
            Checkpoint result = capture.session().checkpointPassive();
            blocked = result.busy() || result.checkpointed() < capture.pagesUpTo(before);
            if (blocked) {
                return false;
            }
            if (settled(result)) {
                WalPosition end = capture.position().wal();
                // Recorded before the old reader ends: from then on a writer may start the WAL again.
                capture.swapReaders(() -> {
                    if (capture.position().wal().equals(end) && settled(result)) {
                        capture.freeze();
                    }
                });
                if (capture.position().atFrozenEnd()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Leaves little for the locked round: few frames, and a database file that is on the disk but for their pages. */
    private boolean roundsBeforeLock() throws IOException {
        capture.forceDatabase();
        boolean frozen = rounds(ROUNDS_BEFORE_LOCK);
        if (!frozen && !blocked) {
            capture.forceDatabase();
        }
        return frozen;
    }

    private boolean lockedRound() throws IOException {
        capture.session().underWriteLock(() -> {
            capture.capture();
            capture.thaw();
            if (settled(capture.session().checkpointRenewingReader())) {
                capture.freeze();
            }
        });
        return capture.position().atFrozenEnd();
    }

    /** Whether all of the WAL is captured and in the database file, and nothing came behind it. */
    private boolean settled(Checkpoint result) throws IOException {
        return result.complete() && capture.walPages() == result.log() && capture.nothingAfterPosition();
    }
}
