package org.litestream4j.capture;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.wal.WalHeader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the record that the last run left leads to the present database, so that increments may follow; else a full image
 * must. It changes nothing. The rules are those of sqlite-facts: continuing after a restart.
 *
 * @param record which the last run left
 * @param saved when that was
 */
record ContinuityProof(CaptureSettings settings, Attachment attachment, PositionRecord record, Fingerprint saved) {

    private static final Logger log = LoggerFactory.getLogger(ContinuityProof.class);
    private static final long LONGEST_CHECKPOINT_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** Where capturing goes on; null if that cannot be proven. Call while nobody can write. */
    @Nullable
    PositionRecord find() throws IOException {
        Fingerprint now = Fingerprint.of(settings.database());
        if (!now.sameFile(record.file()) || attachment.session().pageSize() != record.pageSize()) {
            return null;
        }
        boolean unchanged = now.equals(record.file());
        if (isWalOfRecord()) {
            // Whether the reader of this run is at mark 0 is not known: a new round must find out.
            boolean intact = (record.frozen() ? unchanged : !isWrittenLater(now)) && isWalWhole();
            return intact ? record.thawed() : null;
        }
        return record.atFrozenEnd() && unchanged ? record : null;
    }

    /**
     * Whether the file was written later than a checkpoint can have been that the last run died in. Each of its captures, and
     * each commit, left a mark in time.
     */
    private boolean isWrittenLater(Fingerprint file) throws IOException {
        long last = Math.max(Fingerprint.of(settings.wal()).modified(), saved.modified());
        return file.changed() > last + LONGEST_CHECKPOINT_NANOS;
    }

    private boolean isWalOfRecord() throws IOException {
        Optional<WalHeader> header = attachment.walHeader();
        return header.isPresent() && header.get().sameSalts(record.wal());
    }

    private boolean isWalWhole() throws IOException {
        return attachment.files().wal().orElseThrow().leadsTo(record.wal());
    }

    /** Why there is none. */
    void logMissing() throws IOException {
        log.info(
                "continuity cannot be proven: db={} recorded={} file={} wal={}",
                settings.database(),
                record,
                Fingerprint.of(settings.database()),
                attachment.walHeader().orElse(null));
        if (isWalOfRecord() && isWalWhole()) {
            log.warn(
                    "the database file is another than the WAL beside it was written for, and SQLite has applied that WAL:"
                            + " check whether the database is what it should be: db={}",
                    settings.database());
        }
    }
}
