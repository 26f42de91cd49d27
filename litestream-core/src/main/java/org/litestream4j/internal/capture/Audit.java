package org.litestream4j.internal.capture;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPageMap;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.LockPage;

/**
 * Checks for frames that were missed for an unknown reason. Compares the position with the frames that SQLite counts,
 * the open files with those of the database, and a sample of pages with their captured checksums. Confined to the
 * capture lane.
 */
final class Audit {

    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Number of pages whose content is compared. */
    private static final int SAMPLE = 16;

    /** Returns a number from 0 up to a bound. Tests replace it, to sample the same pages in each run. */
    static volatile LongUnaryOperator random =
            bound -> ThreadLocalRandom.current().nextLong(bound);

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Increments increments;
    private final RollingChecksum checksum;

    private long last = System.nanoTime();
    private @Nullable PositionRecord audited;

    Audit(
            CaptureSettings settings,
            Attachment attachment,
            Position position,
            Increments increments,
            RollingChecksum checksum) {
        this.settings = settings;
        this.attachment = attachment;
        this.position = position;
        this.increments = increments;
        this.checksum = checksum;
    }

    /**
     * Audits the position if it has changed: after a checkpoint round, otherwise once a minute.
     *
     * @throws LostContinuityException if any value differs; names both values
     */
    void runIfDue(boolean afterRound) throws IOException {
        boolean changed = !position.get().equals(audited);
        if (changed && (afterRound || System.nanoTime() - last >= INTERVAL_NANOS)) {
            last = System.nanoTime();
            increments.hasMore(); // checks SQLite's frame count, the open files and the last frame
            comparePages();
            audited = position.get();
        }
    }

    private void comparePages() throws IOException {
        PositionRecord now = position.get();
        if (checksum.atPosition().isEmpty()) {
            return;
        }
        Optional<WalHeader> begun = attachment.walHeader();
        Optional<WalPageMap> pages = walPages(now);
        if (pages.isEmpty()) {
            return;
        }
        int pageSize = now.pageSize();
        byte[] page = new byte[pageSize];
        for (int i = 0; i < SAMPLE; i++) {
            long pgno = random.applyAsLong(now.commit()) + 1;
            if (pgno == LockPage.pgno(pageSize)) {
                continue;
            }
            read(pgno, pages.get(), page);
            if (checksum.differs(pgno, page)) {
                if (!attachment.walHeader().equals(begun)) {
                    return; // the WAL was reset meanwhile; its frames belong to later transactions
                }
                throw new LostContinuityException(
                        settings.database(),
                        String.format(
                                "page %d has checksum %016x, but at transaction %s its captured checksum was %016x",
                                pgno, checksum.of(pgno, page), now.txid(), checksum.captured(pgno)));
            }
        }
    }

    private void read(long pgno, WalPageMap pages, byte[] page) throws IOException {
        PageSource.single(attachment.files().database(), attachment.files().wal(), pages, page.length)
                .read(pgno, page);
    }

    /** Returns the newest WAL frame of each page up to the position; empty if the WAL was reset while it was read. */
    private Optional<WalPageMap> walPages(PositionRecord now) throws IOException {
        WalFile wal = attachment.files().wal();
        Optional<WalHeader> header = wal.header();
        if (now.atFrozenEnd() || header.isEmpty() || !header.get().sameSalts(now.wal())) {
            return Optional.of(new WalPageMap()); // all captured pages are in the database file
        }
        WalScan scan = wal.scan(WalPosition.NONE, Long.MAX_VALUE, now.wal().frames(now.pageSize()));
        return scan.end().equals(now.wal()) ? Optional.of(scan.pages()) : Optional.empty();
    }
}
