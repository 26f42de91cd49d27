package org.litestream4j.internal.capture;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks whether the record of the last run leads to the current state of the database, so that increments may follow.
 * Changes nothing.
 *
 * <p>Only the WAL can prove this: it must be the recorded one, intact up to the recorded end, and SQLite must count at
 * least as many frames. Size and times of the database file can only disprove it: after a power failure, or within one
 * tick of a coarse clock, new content can have old times (see docs/how-it-works.md).
 *
 * @param record record of the last run
 * @param saved fingerprint of the file that contains the record
 */
record ContinuityProof(CaptureSettings settings, Attachment attachment, PositionRecord record, Fingerprint saved) {

    private static final Logger log = LoggerFactory.getLogger(ContinuityProof.class);
    private static final long MAX_CHECKPOINT_NANOS = TimeUnit.SECONDS.toNanos(2);

    /**
     * Returns whether the record leads to the database. Transactions committed after the record must be captured before
     * the WAL is reset.
     */
    boolean holds() throws IOException {
        String missing = missing();
        if (missing != null) {
            log.info("continuity cannot be proven: path={} reason={}", settings.database(), missing);
        }
        return missing == null;
    }

    private @Nullable String missing() throws IOException {
        if (!record.continuous()) {
            return "an earlier run lost continuity";
        }
        Fingerprint now = Fingerprint.of(settings.database());
        if (!now.sameFile(record.file())) {
            return "the database is a different file";
        }
        if (attachment.session().pageSize() != record.pageSize()) {
            return "the page size has changed";
        }
        if (!isWalOfRecord()) {
            return "the WAL was reset";
        }
        long committed = attachment.session().count().committed();
        if (committed < record.wal().frames(record.pageSize())) {
            return "SQLite counts " + committed + " frames of the WAL, but "
                    + record.wal().frames(record.pageSize()) + " were captured";
        }
        if (!attachment.files().wal().leadsTo(record.wal())) {
            return "the WAL is damaged before the captured end";
        }
        if (record.frozen() ? !now.sameContent(record.file()) : isWrittenLater(now)) {
            log.warn(
                    "the WAL was written for a different database file, but SQLite has applied it to this one:"
                            + " check whether the database is what it should be: path={}",
                    settings.database());
            return "the database file was written later than the WAL";
        }
        return null;
    }

    /**
     * Returns whether the file was modified after the end of the last run, with an allowance for a checkpoint that was
     * running then. Each commit and each capture of that run left a modification time.
     */
    private boolean isWrittenLater(Fingerprint file) throws IOException {
        long last = Math.max(Fingerprint.of(settings.wal()).modified(), saved.modified());
        return file.modified() > last + MAX_CHECKPOINT_NANOS;
    }

    private boolean isWalOfRecord() throws IOException {
        Optional<WalHeader> header = attachment.walHeader();
        return header.isPresent()
                && header.get().sameSalts(record.wal())
                && !record.wal().equals(WalPosition.NONE);
    }
}
