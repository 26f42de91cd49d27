package org.litestream4j.internal.capture;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.SqliteSession.Checkpoint;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;

/**
 * When and how the WAL is copied into the database file: in rounds that take no lock of the application's, and with the write
 * lock only when the WAL is over its limit. Confined to the capture lane.
 */
final class Checkpointer {

    private static final long PACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Rounds in a row that shorten the tail, before the write lock is taken, or the database let go. */
    private static final int ROUNDS_BEFORE_LOCK = 3;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Increments increments;

    /** Where the last complete round ended; null if none has. Whoever moves the position makes another one due. */
    private @Nullable PositionRecord lastComplete;

    /** The last round could not copy what was captured before: somebody else reads or checkpoints. */
    private boolean blocked;

    private long lastRound = System.nanoTime();

    Checkpointer(CaptureSettings settings, Attachment attachment, Position position, Increments increments) {
        this.settings = settings;
        this.attachment = attachment;
        this.position = position;
        this.increments = increments;
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
        if (!position.isKnown() || position.get().equals(lastComplete)) {
            return -1;
        }
        boolean worth = walPages() >= settings.minCheckpointPages();
        long wait = worth ? PACE_NANOS : settings.checkpointInterval().toNanos();
        return Math.max(0, lastRound + wait - System.nanoTime());
    }

    /** @param last whether the database is about to be let go, so that a complete round is worth more tries */
    void round(boolean last) throws IOException {
        lastRound = System.nanoTime();
        if (position.get().atFrozenEnd() && !increments.hasMore()) {
            lastComplete = position.get();
            return;
        }
        boolean frozen = rounds(last ? ROUNDS_BEFORE_LOCK : 1);
        if (!frozen && walPages() > settings.walLimitPages()) {
            frozen = roundsBeforeLock() || (!blocked && lockedRound());
        }
        lastComplete = frozen ? position.get() : null;
    }

    /** Until one is complete and leaves our reader at mark 0. */
    private boolean rounds(int attempts) throws IOException {
        for (int i = 0; i < attempts; i++) {
            WalPosition before = position.get().wal();
            swapReaders(this::thaw);
            if (position.get().atFrozenEnd()) {
                return true; // nothing was committed since
            }
            Checkpoint result = attachment.session().checkpointPassive();
            blocked = result.busy() || result.checkpointed() < pagesUpTo(before);
            if (blocked) {
                return false;
            }
            if (settled(result)) {
                WalPosition end = position.get().wal();
                // Recorded before the old reader ends: from then on a writer may start the WAL again.
                swapReaders(() -> {
                    if (position.get().wal().equals(end) && settled(result)) {
                        freeze();
                    }
                });
                if (position.get().atFrozenEnd()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Leaves little for the locked round: few frames, and a database file that is on the disk but for their pages. */
    private boolean roundsBeforeLock() throws IOException {
        attachment.files().database().force();
        boolean frozen = rounds(ROUNDS_BEFORE_LOCK);
        if (!frozen && !blocked) {
            attachment.files().database().force();
            increments.capture(); // what was committed meanwhile
        }
        return frozen;
    }

    private boolean lockedRound() throws IOException {
        attachment.session().underWriteLock(() -> {
            increments.capture();
            thaw();
            Checkpoint result = attachment.session().checkpointRenewingReader(CheckpointMode.LOCKED);
            increments.readerCovered(); // nobody could write in between
            if (settled(result)) {
                freeze();
            }
        });
        return position.get().atFrozenEnd();
    }

    /** Whether all of the WAL is captured and in the database file, and nothing came behind it. */
    private boolean settled(Checkpoint result) throws IOException {
        return result.complete() && walPages() == result.log() && !increments.hasMore();
    }

    /**
     * Lets the new read transaction take over: everything up to its mark is captured before the old one ends.
     *
     * @param beforeEnd what else must have happened before that
     */
    private void swapReaders(SqliteSession.IoAction beforeEnd) throws IOException {
        attachment.session().beginNewReader();
        boolean complete = false;
        try {
            increments.capture();
            beforeEnd.run();
            complete = true;
        } finally {
            if (!complete) {
                attachment.session().abandonNewReader();
            }
        }
        attachment.session().endOldReader();
        increments.readerCovered();
    }

    /** Our reader is at mark 0 and everything captured is in the database file: from here on it cannot change. */
    private void freeze() throws IOException {
        position.moveTo(position.get().frozen(Fingerprint.of(settings.database())));
    }

    /** Before the next checkpoint; there is no need to as long as nothing was captured since. */
    private void thaw() throws IOException {
        if (position.get().frozen() && !position.get().atFrozenEnd()) {
            position.moveTo(position.get().thawed());
        }
    }

    /** Pages in the WAL up to the captured end. */
    private long walPages() {
        return pagesUpTo(position.get().wal());
    }

    /** Pages in the present WAL up to a place in it; 0 if that was in an earlier one. */
    private long pagesUpTo(WalPosition place) {
        PositionRecord now = position.get();
        boolean present =
                place.salt1() == now.wal().salt1() && place.salt2() == now.wal().salt2();
        return present ? (place.offset() - WalHeader.SIZE) / (now.pageSize() + WalFile.FRAME_HEADER_SIZE) : 0;
    }
}
