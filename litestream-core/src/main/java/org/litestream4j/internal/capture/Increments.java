package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPageMap;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.Txid;

/**
 * Captures the WAL up to the last frame that SQLite counts as committed, and moves the position to it. Each step writes
 * one level-0 file. Confined to the capture lane.
 *
 * <p>A reset of the WAL loses no frame: SQLite resets the WAL only when all its frames are in the database file. While
 * the reader is held, no checkpoint copies a frame after the end at which the reader began. Therefore, if everything up
 * to that end is captured, a WAL that is reset ended exactly there. This holds for one reset; a second one requires a
 * new reader (see docs/how-it-works.md, capture).
 */
final class Increments {

    private static final int ATTEMPTS = 3;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Level0Writer writer;
    private final RollingChecksum checksum;

    /** Whether everything up to the end at which the current reader began is captured. */
    private boolean covered;

    /** Whether the WAL was reset during the current read transaction. */
    private boolean restarted;

    Increments(
            CaptureSettings settings,
            Attachment attachment,
            Position position,
            Level0Writer writer,
            RollingChecksum checksum) {
        this.settings = settings;
        this.attachment = attachment;
        this.position = position;
        this.writer = writer;
        this.checksum = checksum;
    }

    /**
     * Frames that are committed but not captured.
     *
     * @param from start of these frames
     * @param committed number of committed frames in the WAL
     */
    private record Tail(WalFile wal, WalPosition from, long committed) {}

    /** Records that a read transaction began, under which nothing is captured yet. */
    void readerBegan() {
        covered = false;
        restarted = false;
    }

    /** Records that everything up to the start of the only read transaction is captured. */
    void readerCovered() {
        covered = true;
        restarted = false;
    }

    /** See {@link Capture#capture}. */
    boolean capture() throws IOException {
        Tail tail = tail();
        boolean any = tail != null;
        while (tail != null) {
            WalScan scan = tail.wal().scan(tail.from(), settings.maxSyncWalBytes(), tail.committed());
            if (!scan.found() || !scan.start().equals(tail.from())) {
                throw lost("SQLite counts " + tail.committed() + " committed frames, but the valid frames of the WAL"
                        + " file end at " + frames(position.get().wal()));
            }
            capture(tail.wal(), scan);
            boolean more = frames(scan.end()) < tail.committed();
            tail = more ? new Tail(tail.wal(), scan.end(), tail.committed()) : null;
        }
        covered = true;
        return any;
    }

    /** Returns whether {@link #capture()} would find frames. */
    boolean hasMore() throws IOException {
        return tail() != null;
    }

    /** Returns the frames that are committed but not captured; null if there are none. */
    private @Nullable Tail tail() throws IOException {
        WalFile wal = attachment.files().wal();
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            Optional<WalHeader> before = wal.header();
            long committed = attachment.session().count().committed();
            boolean whole = before.isEmpty() || isWholeTo(wal, before.get());
            Optional<WalHeader> header = wal.header();
            if (header.equals(before)) { // otherwise count or frame may belong to another WAL
                return tail(wal, header.orElse(null), committed, whole);
            }
        }
        throw new IOException(settings.database() + ": the WAL keeps being reset; will retry");
    }

    /** Returns whether the last captured frame is unchanged; true if the position belongs to an earlier WAL. */
    private boolean isWholeTo(WalFile wal, WalHeader header) throws IOException {
        WalPosition captured = position.get().wal();
        return !header.sameSalts(captured) || wal.endsAt(captured, header.frameSize());
    }

    private @Nullable Tail tail(WalFile wal, @Nullable WalHeader header, long committed, boolean whole)
            throws IOException {
        PositionRecord now = position.get();
        long captured = frames(now.wal());
        if (committed == 0) { // the next writer resets the WAL, or nothing was written since the last reset
            if (!covered && captured > 0) {
                throw lost("the WAL was reset before it was captured");
            }
            return null;
        }
        if (header == null) {
            throw lost("SQLite counts " + committed + " committed frames, but the WAL file has no valid header");
        }
        if (header.pageSize() != now.pageSize()) {
            throw new CaptureException(
                    settings.database(), "the page size of the WAL differs from that of the database", "", null);
        }
        if (!header.sameSalts(now.wal())) {
            return new Tail(wal, WalPosition.start(header), committed);
        }
        if (committed < captured) {
            throw lost(captured + " frames of the WAL were captured, but SQLite counts " + committed);
        }
        if (!whole) {
            throw lost("frame " + captured + " of the WAL was captured and has been overwritten since");
        }
        return committed == captured ? null : new Tail(wal, now.wal(), committed);
    }

    /**
     * Captures the transactions before a given transaction in the WAL.
     *
     * @param transaction transaction that SQLite counts as committed
     */
    void captureUntil(WalScan transaction) throws IOException {
        WalFile source = attachment.files().wal();
        WalHeader header = requireNonNull(transaction.header());
        while (true) {
            WalPosition now = position.get().wal();
            WalPosition from = header.sameSalts(now) ? now : WalPosition.start(header);
            long left = transaction.start().offset() - from.offset();
            if (left <= 0) {
                return;
            }
            WalScan scan = source.scan(from, Math.min(left, settings.maxSyncWalBytes()), frames(transaction.start()));
            if (!scan.found()) {
                throw lost("the WAL changed while it was read");
            }
            capture(source, scan);
        }
    }

    private void capture(WalFile source, WalScan scan) throws IOException {
        PositionRecord before =
                attachment.files().isFrozen() ? position.get() : position.get().thawed();
        boolean anew = !requireNonNull(scan.header()).sameSalts(before.wal());
        if (anew && (!covered || restarted)) {
            throw lost("the WAL was reset before all of it was captured");
        }
        Txid txid = before.txid().next();
        long fileChecksum;
        try {
            fileChecksum = writer.writeIncrement(
                    txid, source, scan, before.commit(), () -> missingPages(source, scan, before.pageSize()));
        } catch (Level0Writer.WalChangedException e) {
            throw lost(String.valueOf(e.getMessage()));
        }
        position.moveTo(before.captured(txid, fileChecksum, scan.commit(), scan.end()));
        checksum.captured();
        restarted |= anew;
    }

    /**
     * Returns a source for new pages of the database that have no frame in the scan; reads them as SQLite would.
     */
    private PageSource missingPages(WalFile source, WalScan scan, int pageSize) throws IOException {
        WalPageMap all = source.scan(WalPosition.NONE, Long.MAX_VALUE, frames(scan.end()))
                .pages();
        return new PageSource(attachment.files().database(), source, all, 0, pageSize);
    }

    private long frames(WalPosition place) {
        return place.frames(position.get().pageSize());
    }

    private LostContinuityException lost(String problem) {
        return new LostContinuityException(settings.database(), problem);
    }
}
