package org.litestream4j.internal.capture;

import java.io.IOException;
import java.util.function.LongSupplier;

/**
 * Runs checkpoints while there is no position, because the replica has not responded yet or replication is refused. The
 * next capture is an image of the whole database, so no frame must be kept for it: each round renews the read
 * transaction, and the WAL stays short. Confined to the capture lane.
 */
final class UncapturedCheckpoints {

    /** Time source. Tests replace it, to advance the time. */
    static volatile LongSupplier nanoTime = System::nanoTime;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private long lastLook = nanoTime.getAsLong();
    private long lastRound = nanoTime.getAsLong();

    UncapturedCheckpoints(CaptureSettings settings, Attachment attachment) {
        this.settings = settings;
        this.attachment = attachment;
    }

    /** Runs a checkpoint if one is due. Returns the time until the next call in nanoseconds. */
    long runIfDue() throws IOException {
        long now = nanoTime.getAsLong();
        long wait = lastLook + settings.checkpointPaceNanos() - now;
        if (wait > 0) {
            return wait;
        }
        lastLook = now;
        SqliteSession session = attachment.session();
        CommittedFrames.Count count = session.count();
        long frames = count.committed();
        boolean worth = frames >= settings.minCheckpointPages()
                || now - lastRound >= settings.checkpointInterval().toNanos();
        if (worth && count.copied() < frames) {
            lastRound = now;
            round(session, frames > settings.walLimitPages());
        }
        session.closeIdleConnections();
        return settings.checkpointPaceNanos();
    }

    /** @param locked whether to prevent commits in between, so that the next writer resets the WAL */
    private static void round(SqliteSession session, boolean locked) throws IOException {
        if (locked) {
            // if the write lock is not acquired, the next call retries
            session.underWriteLock(() -> session.checkpointRenewingReader(CheckpointLocking.LOCKED));
        } else {
            session.checkpointRenewingReader(CheckpointLocking.PASSIVE);
        }
    }
}
