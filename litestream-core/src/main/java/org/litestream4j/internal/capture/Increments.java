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
 * Moves the position on to the end of what SQLite counts as committed in the WAL; each step is a level-0 file. Confined to the
 * capture lane.
 *
 * <p>Why nothing is missed when the WAL begins anew: that needs every frame to be in the database file, and while our reader is
 * held nobody copies a frame behind the end at which the reader began. So if everything up to that end is captured, a WAL
 * that begins anew ended there, once; a second time needs a new reader (see docs/how-it-works.md, capture).
 */
final class Increments {

    private static final int ATTEMPTS = 3;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Level0Writer writer;
    private final RollingChecksum checksum;

    /** Whether everything is captured up to the end at which the present reader began. */
    private boolean covered;

    /** Whether the WAL was reset under the present reader. */
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
     * What is committed and not captured.
     *
     * @param from where it begins
     * @param committed number of committed frames in the WAL
     */
    private record Tail(WalFile wal, WalPosition from, long committed) {}

    /** A reader has begun, and nothing was captured under it yet. */
    void readerBegan() {
        covered = false;
        restarted = false;
    }

    /** Everything up to the beginning of the present reader is captured, and no other is held. */
    void readerCovered() {
        covered = true;
        restarted = false;
    }

    /** As {@link Capture#capture}. */
    boolean capture() throws IOException {
        Tail tail = tail();
        boolean any = tail != null;
        while (tail != null) {
            WalScan scan = tail.wal().scan(tail.from(), settings.maxSyncWalBytes(), tail.committed());
            if (!scan.found() || !scan.start().equals(tail.from())) {
                throw lost("SQLite counts " + tail.committed() + " committed frames, the WAL file leads to "
                        + frames(position.get().wal()));
            }
            capture(tail.wal(), scan);
            boolean more = frames(scan.end()) < tail.committed();
            tail = more ? new Tail(tail.wal(), scan.end(), tail.committed()) : null;
        }
        covered = true;
        return any;
    }

    /** Whether there is something for {@link #capture()}. */
    boolean hasMore() throws IOException {
        return tail() != null;
    }

    /** Null if everything that SQLite counts is captured. */
    private @Nullable Tail tail() throws IOException {
        WalFile wal = attachment.files().wal();
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            Optional<WalHeader> before = wal.header();
            long committed = attachment.session().count().committed();
            boolean whole = before.isEmpty() || isWholeTo(wal, before.get());
            Optional<WalHeader> header = wal.header();
            if (header.equals(before)) { // else the count, or the frame at the position, may be of another WAL
                return tail(wal, header.orElse(null), committed, whole);
            }
        }
        throw new IOException(settings.database() + ": the WAL keeps being reset; will retry");
    }

    /** Whether the frame at the position is the one that was captured, if the WAL is. */
    private boolean isWholeTo(WalFile wal, WalHeader header) throws IOException {
        WalPosition captured = position.get().wal();
        return !header.sameSalts(captured) || wal.endsAt(captured, header.frameSize());
    }

    private @Nullable Tail tail(WalFile wal, @Nullable WalHeader header, long committed, boolean whole)
            throws IOException {
        PositionRecord now = position.get();
        long captured = frames(now.wal());
        if (committed == 0) { // a writer is about to begin the WAL anew, or nothing was written since the last time
            if (!covered && captured > 0) {
                throw lost("the WAL was reset before it was captured");
            }
            return null;
        }
        if (header == null) {
            throw lost("SQLite counts " + committed + " committed frames, the WAL file has no valid header");
        }
        if (header.pageSize() != now.pageSize()) {
            throw new CaptureException(
                    settings.database(), "the WAL has another page size than the database", "", null);
        }
        if (!header.sameSalts(now.wal())) {
            return new Tail(wal, WalPosition.start(header), committed);
        }
        if (committed < captured) {
            throw lost(captured + " frames of the WAL were captured, SQLite counts " + committed);
        }
        if (!whole) {
            throw lost("frame " + captured + " of the WAL was captured and has been overwritten since");
        }
        return committed == captured ? null : new Tail(wal, now.wal(), committed);
    }

    /**
     * Captures what was committed before a transaction that the WAL holds.
     *
     * @param transaction which SQLite counts
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

    /** Pages that SQLite counts but did not write since the position: as SQLite itself would read them. */
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
