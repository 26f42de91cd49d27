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
 * The checksum of a database at its position, updated with the pages of each level-0 file. An image provides all page
 * checksums, and a clean stop saves them for the next start. Without either, they are {@link #begin begun} and {@link
 * #fill filled} in pieces while capturing continues.
 *
 * <p>The pieces are read at different times, but form one state, that of the position. First, {@link #begin} takes the
 * checksums of all pages with a frame up to the position from the WAL. Then each capture adds the checksums of the
 * pages between the old and the new position. So an unknown page has no frame from the start of the WAL to the
 * position. Only checkpoints change the database file, by copying frames, and they copy none after the mark of the read
 * transaction. Everything up to that mark is captured before the first piece is read, and at each change of readers
 * before the old one ends (see docs/how-it-works.md, capture). The WAL is reset only when all its frames are in the
 * database file. Therefore an unknown page does not change in the file before its checksum is known: the file contains
 * the page at the position, or zeros if the file is shorter, as for SQLite.
 *
 * <p>Confined to the capture lane.
 */
final class RollingChecksum {

    private static final Logger log = LoggerFactory.getLogger(RollingChecksum.class);

    /** Number of bytes of the database file that are read at once. */
    private static final int PIECE = 1 << 20;

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Fraction of the time for filling, as its reciprocal. */
    private static final int SHARE = 5;

    /** Minimum interval between two saves while the database is open. */
    private static final long SAVE_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Minimum interval between two saves for each saved byte: at most 200 kB per second. */
    private static final long SAVE_NANOS_PER_BYTE = 5_000;

    /** Fraction of the heap for page checksums, as its reciprocal. */
    private static final int HEAP_SHARE = 8;

    /** Time source. Tests replace it, to advance the time. */
    static volatile LongSupplier nanoTime = System::nanoTime;

    private final CaptureSettings settings;
    private final PageChecksumStore store;
    private final LtxChecksum crc = new LtxChecksum();

    /** Null if checksums are switched off or not begun. */
    private @Nullable PageChecksums pages;

    /** Whether the page checksums belong to a transaction that is not the position yet, and may never be. */
    private boolean open;

    /** Whether no checksum is computed until the next image or start. */
    private boolean off;

    /** Baseline of the position at which the checksums were begun; null if it cannot be checked, or not any more. */
    private @Nullable Baseline baseline;

    private long nextUnknown;
    private long due;
    private Txid saved = Txid.NONE;
    private long saveDue = nanoTime.getAsLong();

    /** Checksum of the database at a past transaction: composed of its pages as they become known, and as captured. */
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

    /** Forgets all checksums, because the database was detached or the position is unknown. */
    void forget() {
        pages = null;
        baseline = null;
        open = false;
        off = !settings.databaseChecksum();
    }

    /** Loads the checksums saved at a position. Returns false if there are none. */
    boolean resume(PositionRecord position) {
        forget();
        if (off || isTooLarge(position.commit())) {
            return false;
        }
        try {
            pages = store.load(position);
            saved = pages != null ? position.txid() : Txid.NONE;
        } catch (IOException e) {
            log.debug("cannot read page checksums, computing them again: path={}", settings.database(), e);
        }
        return pages != null;
    }

    /** Saves the checksums at the position, with which the next start can compare the database. */
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
            log.debug(
                    "cannot save page checksums, the next start computes them again: path={}", settings.database(), e);
        }
    }

    private boolean isUnsaved(PositionRecord position) {
        PageChecksums current = pages;
        return current != null
                && !open
                && current.isComplete()
                && !position.txid().equals(saved);
    }

    /**
     * Returns the time until {@link #save} is due in nanoseconds; 0 if it is due, negative if there is nothing to save.
     */
    long nanosUntilSave(PositionRecord position) {
        return isUnsaved(position) ? Math.max(0, saveDue - nanoTime.getAsLong()) : -1;
    }

    /** Begins an image. All pages of the database follow. */
    void beginImage(int pageSize, long commit) {
        forget();
        if (!off && !isTooLarge(commit)) {
            pages = new PageChecksums(pageSize, commit);
            open = true;
        }
    }

    /** Begins an increment. The pages that the transaction changed or added follow. */
    void beginIncrement(long commit) {
        if (open) {
            forget();
        }
        PageChecksums current = pages;
        if (current != null && !isTooLarge(commit)) {
            open = true;
            if (baseline != null && current.firstUnknown(commit + 1) != 0) {
                baseline = null; // the transaction removes pages that were never read
            }
            current.resize(commit);
        }
    }

    /**
     * Adds a page of the image or increment.
     *
     * @param checksum checksum of the page
     */
    void page(long pgno, long checksum) {
        PageChecksums current = pages;
        if (current != null) {
            readBaseline(current, pgno);
            current.put(pgno, checksum);
        }
    }

    /**
     * Adds a page to the baseline before its checksum is replaced. The file still contains the page of the baseline,
     * because a checkpoint copies a newer page only after it was captured.
     */
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
            log.debug("cannot read a page, database is not compared: path={}", settings.database(), e);
            baseline = null;
        }
    }

    /** Returns whether a page differs from the captured page, or the checksum of the captured page is unknown. */
    boolean differs(long pgno, byte[] page) {
        PageChecksums current = pages;
        return current == null || current.get(pgno) != checksum(pgno, page, 0, page.length);
    }

    /** Returns the checksum of a page. */
    long of(long pgno, byte[] page) {
        return checksum(pgno, page, 0, page.length);
    }

    /** Returns the checksum of a page when it was captured; {@link PageChecksums#UNKNOWN} if it is unknown. */
    long captured(long pgno) {
        PageChecksums current = pages;
        return current == null ? PageChecksums.UNKNOWN : current.get(pgno);
    }

    /** Records that the image or increment has become the position. */
    void captured() {
        open = false;
    }

    /** Returns the database checksum with all pages added so far; empty if it is unknown. */
    OptionalLong afterPages() {
        PageChecksums current = pages;
        return current == null ? OptionalLong.empty() : current.ofDatabase();
    }

    /** Returns the database checksum at the position; empty if it is unknown. */
    OptionalLong atPosition() {
        return open ? OptionalLong.empty() : afterPages();
    }

    /**
     * Returns the time until {@link #begin} or {@link #fill} is due in nanoseconds; 0 if it is due, negative if nothing
     * remains to be done.
     */
    long nanosUntilDue() {
        if (off || atPosition().isPresent()) {
            return -1;
        }
        return Math.max(0, due - nanoTime.getAsLong());
    }

    /** Returns whether pages remain to be read, or the database remains to be compared with the captured state. */
    boolean isPending() {
        return nanosUntilDue() >= 0 || baseline != null;
    }

    boolean isBegun() {
        return pages != null && !open;
    }

    /**
     * Begins with the checksums of the pages in the WAL. Everything up to the mark of the read transaction must be
     * captured.
     *
     * @param wal null if there is none
     * @param file source of the other pages
     * @param expected captured checksum of the database at the position; empty if it is unknown
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
                return; // the WAL was reset meanwhile
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

    /** Discards the baseline, because the database file may contain newer pages than the position. */
    void forgetBaseline() {
        baseline = null;
    }

    /**
     * Returns whether the database differed from the captured state when the checksums were begun. Returns true
     * at most once, after all page checksums have become known.
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
            log.warn("cannot read the database file, its checksum remains unknown: path={}", settings.database(), e);
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
            log.info("database checksum is known again: path={} pages={}", settings.database(), current.commit());
        }
    }

    private long checksum(long pgno, byte[] bytes, int offset, int count) {
        return PageChecksums.checksum(crc, pgno, bytes, offset, count);
    }

    /** Returns whether the heap has room for the checksums of this number of pages. */
    static boolean fits(long commit) {
        return commit * Long.BYTES <= Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    }

    private boolean isTooLarge(long commit) {
        if (fits(commit)) {
            return false;
        }
        log.warn(
                "checksums of {} pages would need more than an eighth of the heap, database checksum remains unknown;"
                        + " increase the heap, or switch the checksum off with the option databaseChecksum: path={}",
                commit,
                settings.database());
        forget();
        off = true;
        return true;
    }
}
