package org.litestream4j.capture;

import java.io.IOException;
import java.util.Optional;
import org.litestream4j.ltx.Txid;
import org.litestream4j.wal.WalFile;
import org.litestream4j.wal.WalPageMap;
import org.litestream4j.wal.WalPosition;
import org.litestream4j.wal.WalScan;

/**
 * Writes the whole database as one level-0 file, where increments cannot follow what was captured before. It owns nothing: the
 * read transaction of the attachment holds still what it reads.
 */
final class FullImage {

    private static final int ATTEMPTS = 3;

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Level0Writer writer;

    FullImage(CaptureSettings settings, Attachment attachment, Level0Writer writer) {
        this.settings = settings;
        this.attachment = attachment;
        this.writer = writer;
    }

    /**
     * Writes it; the image of TXID 1 is a snapshot and goes to that level of the replica, so TXID 2 follows at once: a level-0
     * file with page 1 alone.
     *
     * @return from where increments can follow
     */
    PositionRecord write(Txid txid) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return writeOnce(txid);
            } catch (Level0Writer.WalChangedException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private PositionRecord writeOnce(Txid txid) throws IOException {
        OpenFiles files = attachment.files();
        SqliteSession session = attachment.session();
        Optional<WalFile> present = files.wal();
        WalScan scan = present.isPresent()
                ? present.get().scan(WalPosition.NONE, Long.MAX_VALUE)
                : new WalScan(null, WalPosition.NONE, WalPosition.NONE, 0, new WalPageMap(), false);
        int pageSize = session.pageSize();
        long commit = scan.found() ? scan.commit() : session.pageCount();
        Fingerprint file = Fingerprint.of(settings.database());
        long copied = scan.found()
                ? session.framesCopied()
                : 0; // after the scan: a WAL that was reset since is found out at the end
        WalFile wal = present.orElse(null);
        PageSource source = new PageSource(files.database(), wal, scan.pages(), copied, pageSize);
        long fileChecksum = writer.writeImage(txid, wal, scan, commit, pageSize, source);
        Txid last = txid;
        if (txid.previous().isNone()) {
            last = txid.next();
            fileChecksum = writer.writeFirstPage(last, wal, scan, commit, pageSize, source);
        }
        PositionRecord taken = new PositionRecord(
                last, fileChecksum, pageSize, commit, scan.end(), files.attached(), false, WalPosition.NONE);
        // Without frames the reader has been at mark 0 from its beginning.
        if (!scan.found() && !Fingerprint.of(settings.database()).sameContent(file)) {
            throw new IOException(settings.database() + ": somebody overwrites the database file; it is tried again");
        }
        return scan.found() ? taken : taken.frozen(file);
    }
}
