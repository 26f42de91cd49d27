package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPageMap;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checksum of one database at its position, kept up to date by the pages of each level-0 file. An image gives the checksum of
 * every page; a clean stop leaves them for the next start. Where neither is at hand, they are {@link #begin begun} and {@link
 * #fill filled} piece by piece while capturing goes on.
 *
 * <p>Why the pieces, read at different times, make one state, that of the position: the checksums of all pages that the WAL
 * has up to the position are taken from there first, and each capture adds those of the pages that it finds, up to the next position.
 * So a page that is still unknown has no frame between the start of the WAL and the position. Only checkpoints change
 * the database file, they copy frames, and never one behind the mark of our read transaction, up to which everything was captured
 * before the filling begins, and at each change of readers before the old one ends (see docs/how-it-works.md, capture).
 * A WAL starts again only when all of its frames are in the database file. Hence nobody writes an unknown page in the file
 * before it becomes known, and what stands there is the page at the position; where the file ends before it, zeros, as for SQLite.
 *
 * <p>Confined to the capture lane.
 */
final class RollingChecksum {

    private static final Logger log = LoggerFactory.getLogger(RollingChecksum.class);

    /** Bytes of the database file that are read at a time. */
    private static final int PIECE = 1 << 20;

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Of the time, one part in so many may go into filling. */
    private static final int SHARE = 5;

    /** While it runs, a database leaves its checksums to the next start at most so often, and at most 200 kB of them a second. */
    private static final long SAVE_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long SAVE_NANOS_PER_BYTE = 5_000;

    /** Of the heap, one part in so many may go into checksums. */
    private static final int HEAP_SHARE = 8;

    /** Tests replace it, to let time pass. */
    static volatile LongSupplier nanoTime = System::nanoTime;

    private final CaptureSettings settings;
    private final PageChecksumStore store;
    private final LtxChecksum crc = new LtxChecksum();

    /** Null if they are switched off, or were not begun. */
    private @Nullable PageChecksums pages;

    /** Whether pages were taken of a transaction that is not the position yet, and may never be. */
    private boolean open;

    /** Whether nothing more is tried until the next image or start. */
    private boolean off;

    /** Of the transaction that was the position when it was begun; null if that cannot be checked (any more). */
    private @Nullable Baseline baseline;

    private long nextUnknown;
    private long due;
    private Txid saved = Txid.NONE;
    private long saveDue = nanoTime.getAsLong();

    /** The checksum of a past transaction, composed of the pages as they become known, and the one with which it was captured. */
    private static final class Baseline {
        private final DatabaseFile file;
        private final long commit;
        private final long expected;
        private long xor;

        Baseline(DatabaseFile file, long commit, long expected) {
            this.file = file;
            this.commit = commit;
            this.expected = expected;
        }
    }

    RollingChecksum(CaptureSettings settings) {
        this.settings = settings;
        this.store = new PageChecksumStore(settings.metaPath());
        this.off = !settings.databaseChecksum();
    }

    /** The database was let go of: nothing is known. */
    void forget() {
        pages = null;
        baseline = null;
        open = false;
        off = !settings.databaseChecksum();
    }

    /** Resumes with what was saved at this position. False if nothing was. */
    boolean resume(PositionRecord position) {
        forget();
        if (off || isTooLarge(position.commit())) {
            return false;
        }
        try {
            pages = store.load(position);
            saved = pages != null ? position.txid() : Txid.NONE;
        } catch (IOException e) {
            log.debug("page checksums cannot be read, they are computed again: db={}", settings.database(), e);
        }
        return pages != null;
    }

    /** Leaves what is known at the position to the next start, which then can compare the database with it. */
    void save(PositionRecord position) {
        PageChecksums current = pages;
        if (current == null || !isUnsaved(position)) {
            return;
        }
        saveDue =
                nanoTime.getAsLong() + Math.max(SAVE_PAUSE_NANOS, current.commit() * Long.BYTES * SAVE_NANOS_PER_BYTE);
        try {
            store.save(position, current);
            saved = position.txid();
        } catch (IOException e) {
            log.debug("page checksums cannot be saved, they are computed again: db={}", settings.database(), e);
        }
    }

    private boolean isUnsaved(PositionRecord position) {
        PageChecksums current = pages;
        return current != null
                && !open
                && current.isComplete()
                && !position.txid().equals(saved);
    }

    /** In nanoseconds; 0 if {@link #save} is worth it now, negative if there is nothing to save. */
    long nanosUntilSave(PositionRecord position) {
        return isUnsaved(position) ? Math.max(0, saveDue - nanoTime.getAsLong()) : -1;
    }

    /** The pages of all of the database follow. */
    void beginImage(int pageSize, long commit) {
        forget();
        if (!off && !isTooLarge(commit)) {
            pages = new PageChecksums(pageSize, commit);
            open = true;
        }
    }

    /** The pages that change with the next transaction follow, and all by which the database grows. */
    void beginIncrement(long commit) {
        if (open) {
            forget();
        }
        PageChecksums current = pages;
        if (current != null && !isTooLarge(commit)) {
            open = true;
            if (baseline != null && current.firstUnknown(commit + 1) != 0) {
                baseline = null; // pages that were never read are cut off
            }
            current.resize(commit);
        }
    }

    /**
     * A page of what was begun.
     *
     * @param checksum of the page
     */
    void page(long pgno, long checksum) {
        PageChecksums current = pages;
        if (current != null) {
            readBaseline(current, pgno);
            current.put(pgno, checksum);
        }
    }

    /** The page in the file is still that of the baseline: a checkpoint copies the present one only after it was captured. */
    private void readBaseline(PageChecksums current, long pgno) {
        Baseline past = baseline;
        if (past == null || pgno > past.commit || !current.isUnknown(pgno)) {
            return;
        }
        byte[] page = new byte[current.pageSize()];
        try {
            int count = past.file.read(ByteBuffer.wrap(page), (pgno - 1) * page.length);
            Arrays.fill(page, count, page.length, (byte) 0);
            past.xor ^= checksum(pgno, page, 0, page.length);
        } catch (IOException e) {
            log.debug("a page cannot be read, the database is not compared: db={}", settings.database(), e);
            baseline = null;
        }
    }

    /** Whether a page is another than the one that was captured, or that one's checksum is not known. */
    boolean differs(long pgno, byte[] page) {
        PageChecksums current = pages;
        return current == null || current.get(pgno) != checksum(pgno, page, 0, page.length);
    }

    /** The checksum of a page. */
    long of(long pgno, byte[] page) {
        return checksum(pgno, page, 0, page.length);
    }

    /** The checksum with which a page was captured; {@link PageChecksums#UNKNOWN} if that is not known. */
    long captured(long pgno) {
        PageChecksums current = pages;
        return current == null ? PageChecksums.UNKNOWN : current.get(pgno);
    }

    /** What was begun has become the position. */
    void captured() {
        open = false;
    }

    /** Of the database with all pages that were given; empty if it is not known. */
    OptionalLong afterPages() {
        PageChecksums current = pages;
        return current == null ? OptionalLong.empty() : current.ofDatabase();
    }

    /** Of the database at the position; empty if it is not known. */
    OptionalLong atPosition() {
        return open ? OptionalLong.empty() : afterPages();
    }

    /** In nanoseconds; 0 if {@link #begin} or {@link #fill} is due now, negative if there is nothing left to do. */
    long nanosUntilDue() {
        if (off || atPosition().isPresent()) {
            return -1;
        }
        return Math.max(0, due - nanoTime.getAsLong());
    }

    /** Whether pages are still to be read, or to be compared with what was captured. */
    boolean isPending() {
        return nanosUntilDue() >= 0 || baseline != null;
    }

    boolean isBegun() {
        return pages != null && !open;
    }

    /**
     * Takes the checksums of the pages that the WAL has. Everything up to the mark of our read transaction was captured.
     *
     * @param wal null if there is none
     * @param file where the other pages are
     * @param expected checksum of the database at the position; empty if it is not known
     */
    void begin(PositionRecord position, @Nullable WalFile wal, DatabaseFile file, OptionalLong expected)
            throws IOException {
        forget();
        due = nanoTime.getAsLong() + PAUSE_NANOS;
        if (off || isTooLarge(position.commit())) {
            return;
        }
        PageChecksums begun = new PageChecksums(position.pageSize(), position.commit());
        long captured = position.wal().offset() - WalHeader.SIZE;
        boolean present = wal != null
                && wal.header().map(header -> header.sameSalts(position.wal())).orElse(false);
        if (wal != null && present && captured > 0) {
            WalScan scan = wal.scan(WalPosition.NONE, captured);
            if (!scan.end().equals(position.wal())) {
                return; // it was started again in this moment
            }
            byte[] page = new byte[position.pageSize()];
            for (long entry : scan.pages().sorted(position.commit())) {
                wal.readPage(WalPageMap.frameOf(entry), page);
                begun.put(WalPageMap.pgno(entry), LtxChecksum.page(WalPageMap.pgno(entry), page));
            }
            if (!wal.header().map(header -> header.sameSalts(position.wal())).orElse(false)) {
                return;
            }
        }
        pages = begun;
        nextUnknown = 1;
        if (expected.isPresent()) {
            baseline = new Baseline(file, position.commit(), expected.getAsLong());
            baseline.xor = begun.xor();
        }
    }

    /** Pages in the file may be newer than the position: they cannot be compared. */
    void forgetBaseline() {
        baseline = null;
    }

    /**
     * Whether the database was another at the position with which this was begun than what was captured of it. Known once, when all
     * pages are.
     */
    boolean disagrees() {
        Baseline past = baseline;
        if (past == null || atPosition().isEmpty()) {
            return false;
        }
        baseline = null;
        return LtxChecksum.database(past.xor) != past.expected;
    }

    /** Takes the checksums of the next unknown pages from the database file. */
    void fill(DatabaseFile file) {
        PageChecksums current = pages;
        nextUnknown = current == null ? 0 : current.firstUnknown(nextUnknown);
        if (current == null || nextUnknown == 0) {
            return;
        }
        long begun = nanoTime.getAsLong();
        int pageSize = current.pageSize();
        int count = (int) Math.min(PIECE / pageSize, current.commit() - nextUnknown + 1);
        byte[] piece = new byte[count * pageSize];
        try {
            int filled = file.read(ByteBuffer.wrap(piece), (nextUnknown - 1) * pageSize);
            Arrays.fill(piece, filled, piece.length, (byte) 0);
        } catch (IOException e) {
            log.warn("the database's checksum stays unknown, its file cannot be read: db={}", settings.database(), e);
            forget();
            off = true;
            return;
        }
        for (int i = 0; i < count; i++) {
            long pgno = nextUnknown + i;
            if (current.isUnknown(pgno)) {
                long found = checksum(pgno, piece, i * pageSize, pageSize);
                current.put(pgno, found);
                if (baseline != null && pgno <= baseline.commit) {
                    baseline.xor ^= found;
                }
            }
        }
        nextUnknown += count;
        long now = nanoTime.getAsLong();
        due = now + Math.max(PAUSE_NANOS, (SHARE - 1) * (now - begun));
        if (current.isComplete()) {
            log.info("the database's checksum is known again: db={} pages={}", settings.database(), current.commit());
        }
    }

    private long checksum(long pgno, byte[] bytes, int offset, int count) {
        return PageChecksums.checksum(crc, pgno, bytes, offset, count);
    }

    /** Whether the heap has room for the checksums of so many pages. */
    static boolean fits(long commit) {
        return commit * Long.BYTES <= Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    }

    private boolean isTooLarge(long commit) {
        if (fits(commit)) {
            return false;
        }
        log.warn(
                "the database's checksum stays unknown, that of {} pages would take more than an eighth of the heap; give the"
                        + " process more, or switch it off with litestream.database-checksum=false (in plain Java databaseChecksum):"
                        + " db={}",
                commit,
                settings.database());
        forget();
        off = true;
        return true;
    }
}
