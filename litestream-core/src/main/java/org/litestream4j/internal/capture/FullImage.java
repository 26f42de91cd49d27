package org.litestream4j.internal.capture;

import java.io.IOException;
import java.util.OptionalLong;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.Txid;

/**
 * Reads the whole database where increments cannot continue the captured state. Writes all pages, or only those that
 * differ from the captured state, as one level-0 file. The read transaction of the attachment keeps the state
 * unchanged.
 */
final class FullImage {

    private static final int ATTEMPTS = 3;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Level0Writer writer;
    private final RollingChecksum checksum;

    FullImage(CaptureSettings settings, Attachment attachment, Level0Writer writer, RollingChecksum checksum) {
        this.settings = settings;
        this.attachment = attachment;
        this.writer = writer;
        this.checksum = checksum;
    }

    /** State of the database that is read. */
    private record State(WalFile wal, WalScan scan, long commit, int pageSize, Fingerprint file, PageSource source) {}

    @FunctionalInterface
    private interface Attempt<T> {
        T run() throws IOException;
    }

    /**
     * Writes all pages. An image with TXID 1 is uploaded as a snapshot, so a level-0 file that contains only page 1
     * follows it as TXID 2.
     *
     * @return position from which increments can continue
     */
    PositionRecord write(Txid txid) throws IOException {
        return retrying(() -> {
            State state = open();
            long fileChecksum = writer.writeImage(
                    txid, state.wal(), state.scan(), state.commit(), state.pageSize(), state.source());
            Txid last = txid;
            if (txid.previous().isNone()) {
                last = txid.next();
                fileChecksum = writer.writeFirstPage(
                        last, state.wal(), state.scan(), state.commit(), state.pageSize(), state.source());
            }
            return checkedUnchanged(
                    state,
                    new PositionRecord(
                            last,
                            fileChecksum,
                            state.pageSize(),
                            state.commit(),
                            state.scan().end(),
                            attachment.files().attached(),
                            false,
                            WalPosition.NONE,
                            true));
        });
    }

    /**
     * Compares the database with the saved page checksums of the captured state, and writes the pages that differ. This
     * reads the whole database, but avoids the upload of an image.
     *
     * @param before captured state
     * @return position from which increments can continue; has the same transaction if no page differs
     */
    PositionRecord writeDifference(PositionRecord before) throws IOException {
        return retrying(() -> {
            if (!checksum.resume(before)) {
                throw new IOException(settings.database() + ": the saved page checksums are gone; will retry");
            }
            State state = open();
            Txid txid = before.txid().next();
            OptionalLong fileChecksum = writer.writeDifference(
                    txid, state.wal(), state.scan(), before.commit(), state.commit(), state.pageSize(), state.source());
            PositionRecord moved =
                    before.movedTo(state.scan().end(), attachment.files().attached());
            return checkedUnchanged(
                    state,
                    fileChecksum.isEmpty()
                            ? moved
                            : moved.captured(txid, fileChecksum.getAsLong(), state.commit(), moved.wal()));
        });
    }

    private static PositionRecord retrying(Attempt<PositionRecord> attempt) throws IOException {
        for (int i = 1; ; i++) {
            try {
                return attempt.run();
            } catch (Level0Writer.WalChangedException e) {
                if (i == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private State open() throws IOException {
        OpenFiles files = attachment.files();
        SqliteSession session = attachment.session();
        WalScan scan = attachment.committed();
        int pageSize = session.pageSize();
        long commit = scan.found() ? scan.commit() : session.pageCount();
        Fingerprint file = Fingerprint.of(settings.database());
        long copied = scan.found()
                ? session.count().copied()
                : 0; // after the scan: a reset of the WAL in between is detected at the end
        PageSource source = new PageSource(files.database(), files.wal(), scan.pages(), copied, pageSize);
        return new State(files.wal(), scan, commit, pageSize, file, source);
    }

    /** Marks the position as frozen if the WAL has no frames: the reader has then been at mark 0 from its start. */
    private PositionRecord checkedUnchanged(State state, PositionRecord taken) throws IOException {
        if (state.scan().found()) {
            return taken;
        }
        if (!Fingerprint.of(settings.database()).sameContent(state.file())) {
            throw new IOException(settings.database() + ": another program overwrites the database file; will retry");
        }
        return taken.frozen(state.file());
    }
}
