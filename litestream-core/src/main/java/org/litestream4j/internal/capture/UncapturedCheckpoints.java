package org.litestream4j.internal.capture;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Checkpoints while there is no position, because the replica has not answered yet or replication is refused. The next capture is
 * an image of the whole database, so that no frame has to be kept for it: the read transaction is renewed at each round, and the
 * WAL stays short for as long as that takes. Confined to the capture lane.
 */
final class UncapturedCheckpoints {

    private static final long PACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Tests replace it, to let time pass. */
    static volatile LongSupplier nanoTime = System::nanoTime;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private long lastLook = nanoTime.getAsLong();
    private long lastRound = nanoTime.getAsLong();

    UncapturedCheckpoints(CaptureSettings settings, Attachment attachment) {
        this.settings = settings;
        this.attachment = attachment;
    }

    /** In nanoseconds, when it may be time again. */
    long runIfDue() throws IOException {
        long now = nanoTime.getAsLong();
        long wait = lastLook + PACE_NANOS - now;
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
        session.rest();
        return PACE_NANOS;
    }

    /** @param locked whether writers must not come in between, so that the next one starts the WAL again */
    private static void round(SqliteSession session, boolean locked) throws IOException {
        if (locked) {
            session.underWriteLock(() -> session.checkpointRenewingReader(
                    CheckpointMode.LOCKED)); // if it is not to be had, in a second again
        } else {
            session.checkpointRenewingReader(CheckpointMode.PASSIVE);
        }
    }
}
