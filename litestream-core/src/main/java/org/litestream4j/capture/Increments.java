package org.litestream4j.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.Optional;
import org.litestream4j.ltx.Txid;
import org.litestream4j.wal.WalFile;
import org.litestream4j.wal.WalHeader;
import org.litestream4j.wal.WalPageMap;
import org.litestream4j.wal.WalPosition;
import org.litestream4j.wal.WalScan;

/**
 * Moves the position on to the end of what is committed in the WAL: each step is a level-0 file. Call while a read transaction
 * keeps the WAL from being reset before it was captured. Confined to the capture lane.
 */
final class Increments {

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Level0Writer writer;
    private final RollingChecksum checksum;

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

    /** As {@link Capture#capture}. */
    boolean capture() throws IOException {
        boolean any = false;
        boolean more = true;
        long end = -1; // of the WAL at the beginning, or after that
        while (more) {
            Optional<WalFile> present = attachment.files().wal();
            if (present.isEmpty() || !present.get().hasFrameAfter(position.get().wal())) {
                return any;
            }
            end = end < 0 ? present.get().size() : end;
            WalScan scan = present.get().scan(position.get().wal(), settings.maxSyncWalBytes());
            if (!scan.found()) {
                return any;
            }
            capture(present.get(), scan);
            any = true;
            more = scan.more() && scan.end().offset() < end;
        }
        return any;
    }

    /** Captures what was committed before a transaction that the WAL holds. */
    void captureUntil(WalScan transaction) throws IOException {
        WalFile source = attachment.files().wal().orElseThrow();
        WalHeader header = requireNonNull(transaction.header());
        while (true) {
            WalPosition now = position.get().wal();
            WalPosition from = header.sameSalts(now) ? now : WalPosition.start(header);
            long left = transaction.start().offset() - from.offset();
            if (left <= 0) {
                return;
            }
            WalScan scan = source.scan(from, Math.min(left, settings.maxSyncWalBytes()));
            if (!scan.found() || scan.end().offset() > transaction.start().offset()) {
                throw new IOException(settings.database() + ": the WAL changed while it was read");
            }
            capture(source, scan);
        }
    }

    private void capture(WalFile source, WalScan scan) throws IOException {
        PositionRecord before =
                attachment.files().isFrozen() ? position.get() : position.get().thawed();
        if (requireNonNull(scan.header()).pageSize() != before.pageSize()) {
            throw new CaptureException(
                    settings.database(), "the WAL has another page size than the database", "", null);
        }
        Txid txid = before.txid().next();
        long fileChecksum =
                writer.writeIncrement(txid, source, scan, before.commit(), () -> missingPages(source, before));
        position.moveTo(before.captured(txid, fileChecksum, scan.commit(), scan.end()));
        checksum.captured();
    }

    /** Pages that SQLite counts but did not write since the position: as SQLite itself would read them. */
    private PageSource missingPages(WalFile source, PositionRecord before) throws IOException {
        WalPageMap all = source.scan(WalPosition.NONE, Long.MAX_VALUE).pages();
        return new PageSource(attachment.files().database(), source, all, 0, before.pageSize());
    }

    /** Whether there is something that {@link #capture()} may find. */
    boolean hasMore() throws IOException {
        Optional<WalFile> present = attachment.files().wal();
        return present.isPresent()
                && present.get().hasCommitAfter(position.get().wal());
    }
}
