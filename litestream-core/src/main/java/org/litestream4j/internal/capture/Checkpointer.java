package org.litestream4j.internal.capture;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.SqliteSession.Checkpoint;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;

/**
 * Copies the WAL into the database file in checkpoint rounds. A round blocks neither readers nor writers, unless the
 * WAL exceeds its limit; the round then takes the write lock. Confined to the capture lane.
 */
final class Checkpointer {

    /** Maximum number of rounds before the write lock is taken or the database is closed. */
    private static final int ROUNDS_BEFORE_LOCK = 3;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Increments increments;

    /**
     * Position at the end of the last round; null if that round was incomplete. The next round is due when the position
     * differs.
     */
    private @Nullable PositionRecord lastComplete;

    /**
     * Whether the last round could not copy all captured frames, because another connection was reading or
     * checkpointing.
     */
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

    /**
     * Returns the time until the next round in nanoseconds; 0 if it is due, negative if none is due without further
     * writes.
     */
    long nanosUntilDue() {
        if (!position.isKnown() || position.get().equals(lastComplete)) {
            return -1;
        }
        boolean worth = walPages() >= settings.minCheckpointPages();
        long wait = worth
                ? settings.checkpointPaceNanos()
                : settings.checkpointInterval().toNanos();
        return Math.max(0, lastRound + wait - System.nanoTime());
    }

    /** @param last whether to make several attempts, as on request or before the database is closed */
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

    /** Runs rounds until one is complete and leaves the reader at mark 0. Returns whether one did. */
    private boolean rounds(int attempts) throws IOException {
        for (int i = 0; i < attempts; i++) {
            WalPosition before = position.get().wal();
            swapReaders(this::thaw);
            if (position.get().atFrozenEnd()) {
                return true; // nothing was committed since then
            }
            Checkpoint result = attachment.session().checkpointPassive();
            blocked = result.busy() || result.checkpointed() < pagesUpTo(before);
            if (blocked) {
                return false;
            }
            if (isComplete(result)) {
                WalPosition end = position.get().wal();
                // The position is saved before the old reader ends: from then on, a writer may reset the WAL.
                swapReaders(() -> {
                    if (position.get().wal().equals(end) && isComplete(result)) {
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

    /**
     * Prepares for the locked round, so that it is short: few frames are left to copy, and few pages to force to the
     * disk.
     */
    private boolean roundsBeforeLock() throws IOException {
        attachment.files().database().force();
        boolean frozen = rounds(ROUNDS_BEFORE_LOCK);
        if (!frozen && !blocked) {
            attachment.files().database().force();
            increments.capture(); // transactions committed meanwhile
        }
        return frozen;
    }

    private boolean lockedRound() throws IOException {
        attachment.session().underWriteLock(() -> {
            increments.capture();
            thaw();
            Checkpoint result = attachment.session().checkpointRenewingReader(CheckpointLocking.LOCKED);
            increments.readerCovered(); // the write lock prevented commits in between
            if (isComplete(result)) {
                freeze();
            }
        });
        return position.get().atFrozenEnd();
    }

    /** Returns whether all frames are captured and in the database file, and the WAL has no frames after them. */
    private boolean isComplete(Checkpoint result) throws IOException {
        return result.complete() && walPages() == result.log() && !increments.hasMore();
    }

    /**
     * Replaces the read transaction with a new one. Captures all frames up to the mark of the new one before the old
     * one ends.
     *
     * @param beforeEnd action that must also complete before the old one ends
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

    /**
     * Records that the database file cannot change: the reader is at mark 0, and all captured frames are in the file.
     */
    private void freeze() throws IOException {
        position.moveTo(position.get().frozen(Fingerprint.of(settings.database())));
    }

    /**
     * Records that checkpoints may change the database file. Not needed if nothing was captured since it was frozen.
     */
    private void thaw() throws IOException {
        if (position.get().frozen() && !position.get().atFrozenEnd()) {
            position.moveTo(position.get().thawed());
        }
    }

    /** Returns the number of pages in the WAL up to the captured end. */
    private long walPages() {
        return pagesUpTo(position.get().wal());
    }

    /** Returns the number of pages in the current WAL up to a position; 0 if the position belongs to an earlier WAL. */
    private long pagesUpTo(WalPosition place) {
        PositionRecord now = position.get();
        boolean present =
                place.salt1() == now.wal().salt1() && place.salt2() == now.wal().salt2();
        return present ? (place.offset() - WalHeader.SIZE) / (now.pageSize() + WalFile.FRAME_HEADER_SIZE) : 0;
    }
}
