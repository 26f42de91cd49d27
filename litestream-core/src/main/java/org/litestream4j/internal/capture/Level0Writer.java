package org.litestream4j.internal.capture;

import java.io.IOException;
import java.time.Clock;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPageMap;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;

/** Writes level-0 files into {@link Staging}: what a scan found, or the whole database. */
final class Level0Writer {

    private static final Txid FIRST = new Txid(1);

    /** Where the pages are not those of a part of a WAL. The offset is never below the first frame: Litestream refuses that. */
    private static final WalRange NO_WAL = new WalRange(WalHeader.SIZE, 0, 0, 0);

    private final Staging staging;
    private final Clock clock;
    private final PageEncoding encoding;
    private final RollingChecksum databaseChecksum;
    private volatile boolean stopped;

    /** @param databaseChecksum told of all pages */
    Level0Writer(Staging staging, Clock clock, PageEncoding encoding, RollingChecksum databaseChecksum) {
        this.staging = staging;
        this.clock = clock;
        this.encoding = encoding;
        this.databaseChecksum = databaseChecksum;
    }

    /** Ends what is being written with an {@link IOException}, and lets nothing begin. Any thread. */
    void stop() {
        stopped = true;
    }

    private void checkRunning() throws IOException {
        if (stopped) {
            throw new IOException("stopped before the level-0 file was complete");
        }
    }

    /** A read transaction holds still what is read; this is thrown where it did not, and the file was discarded. */
    static final class WalChangedException extends IOException {
        private static final long serialVersionUID = 1L;

        WalChangedException(String message) {
            super(message);
        }
    }

    /** Supplies the pages that a scan did not see. */
    @FunctionalInterface
    interface MissingPages {
        PageSource open() throws IOException;
    }

    /**
     * Writes the pages of a scan, and every page by which the database grew that the scan does not have.
     *
     * @param scan which found at least one transaction
     * @param previousCommit database size before, in pages
     * @return the file checksum
     */
    long writeIncrement(Txid txid, WalFile wal, WalScan scan, long previousCommit, MissingPages missing)
            throws IOException {
        WalHeader walHeader = walHeader(scan);
        int pageSize = walHeader.pageSize();
        byte[] page = new byte[pageSize];
        long lockPage = LockPage.pgno(pageSize);
        databaseChecksum.beginIncrement(scan.commit());
        try (Output output = new Output(txid, pageSize, scan.commit(), range(scan))) {
            PageSource source = null;
            long grown = previousCommit + 1;
            for (long entry : scan.pages().sorted(scan.commit())) {
                long pgno = WalPageMap.pgno(entry);
                for (; grown < pgno; grown++) {
                    source = writeMissing(output, grown, lockPage, page, source, missing);
                }
                grown = Math.max(grown, pgno + 1);
                checkRunning();
                wal.readPage(WalPageMap.frameOf(entry), page);
                output.write(pgno, page);
            }
            for (; grown <= scan.commit(); grown++) {
                source = writeMissing(output, grown, lockPage, page, source, missing);
            }
            return output.publish(wal, scan);
        }
    }

    private static PageSource writeMissing(
            Output output, long pgno, long lockPage, byte[] page, @Nullable PageSource source, MissingPages missing)
            throws IOException {
        PageSource open = source != null ? source : missing.open();
        if (pgno != lockPage) {
            open.read(pgno, page);
            output.write(pgno, page);
        }
        return open;
    }

    /**
     * Writes all pages.
     *
     * @param scan of the whole WAL, whether or not it found a transaction
     * @param commit database size in pages
     * @return the file checksum
     */
    long writeImage(Txid txid, WalFile wal, WalScan scan, long commit, int pageSize, PageSource source)
            throws IOException {
        byte[] page = new byte[pageSize];
        long lockPage = LockPage.pgno(pageSize);
        WalRange range = txid.equals(FIRST) ? lastFrame(scan, pageSize) : range(scan);
        databaseChecksum.beginImage(pageSize, commit);
        try (Output output = new Output(txid, pageSize, commit, range)) {
            for (long pgno = 1; pgno <= commit; pgno++) {
                if (pgno != lockPage) {
                    checkRunning();
                    source.read(pgno, page);
                    output.write(pgno, page);
                }
            }
            return output.publish(wal, scan);
        }
    }

    /**
     * Writes the pages that differ from what was captured of them, as the database's checksum knows them.
     *
     * @param scan of the whole WAL, whether or not it found a transaction
     * @param previousCommit database size as it was captured, in pages
     * @param commit database size in pages
     * @return the file checksum; empty if no page differs, and nothing was written
     */
    OptionalLong writeDifference(
            Txid txid, WalFile wal, WalScan scan, long previousCommit, long commit, int pageSize, PageSource source)
            throws IOException {
        byte[] page = new byte[pageSize];
        long lockPage = LockPage.pgno(pageSize);
        databaseChecksum.beginIncrement(commit);
        Output output = null;
        try {
            for (long pgno = 1; pgno <= commit; pgno++) {
                if (pgno != lockPage) {
                    checkRunning();
                    source.read(pgno, page);
                    if (databaseChecksum.differs(pgno, page) || (pgno == 1 && commit != previousCommit)) {
                        output = output != null ? output : new Output(txid, pageSize, commit, NO_WAL);
                        output.write(pgno, page);
                    }
                }
            }
            if (output == null) {
                requireSameWal(wal, scan);
                return OptionalLong.empty();
            }
            return OptionalLong.of(output.publish(wal, scan));
        } finally {
            if (output != null) {
                output.close();
            }
        }
    }

    private static void requireSameWal(WalFile wal, WalScan scan) throws IOException {
        if (scan.found()
                && !wal.header().map(now -> now.sameSalts(scan.start())).orElse(false)) {
            throw new WalChangedException("the WAL was reset while its frames were read");
        }
    }

    /**
     * Writes page 1 alone, as it is: the first image goes to the snapshots, and level 0 must not be empty.
     *
     * @param scan of the whole WAL, as the image had it
     * @return the file checksum
     */
    long writeFirstPage(Txid txid, WalFile wal, WalScan scan, long commit, int pageSize, PageSource source)
            throws IOException {
        byte[] page = new byte[pageSize];
        WalRange range = scan.found()
                ? new WalRange(
                        scan.end().offset(), 0, scan.end().salt1(), scan.end().salt2())
                : NO_WAL;
        try (Output output = new Output(txid, pageSize, commit, range)) {
            source.read(1, page);
            output.write(1, page);
            return output.publish(wal, scan);
        }
    }

    /** What the header of a snapshot says of its source. */
    static WalRange lastFrame(WalScan scan, int pageSize) {
        long frameSize = (long) pageSize + WalFile.FRAME_HEADER_SIZE;
        return scan.found()
                ? new WalRange(
                        scan.end().offset() - frameSize,
                        frameSize,
                        scan.end().salt1(),
                        scan.end().salt2())
                : NO_WAL;
    }

    private static WalHeader walHeader(WalScan scan) {
        WalHeader header = scan.header();
        if (header == null) {
            throw new IllegalStateException("a scan that found something has a header");
        }
        return header;
    }

    /** What the header says of the source; never below the first frame, or the reference could not take over. */
    private static WalRange range(WalScan scan) {
        return scan.found()
                ? new WalRange(
                        scan.start().offset(),
                        scan.end().offset() - scan.start().offset(),
                        scan.start().salt1(),
                        scan.start().salt2())
                : NO_WAL;
    }

    private final class Output implements AutoCloseable {
        private final Staging.Unfinished file;
        private final LtxWriter ltx;
        private final long timestamp = clock.millis();

        Output(Txid txid, int pageSize, long commit, WalRange range) throws IOException {
            LtxHeader header =
                    new LtxHeader(LtxHeader.NO_CHECKSUM, pageSize, commit, txid, txid, timestamp, 0, range, 0);
            this.file = staging.begin(LtxFileName.of(txid));
            this.ltx = LtxWriter.open(file.out(), header, encoding);
        }

        void write(long pgno, byte[] page) throws IOException {
            ltx.writePage(pgno, page);
            databaseChecksum.page(pgno, ltx.pageChecksum());
        }

        long publish(WalFile wal, WalScan scan) throws IOException {
            long checksum = ltx.finish(0).fileChecksum();
            requireSameWal(wal, scan);
            if (scan.found()) {
                wal.force(); // the replica is never ahead of what the disk keeps
            }
            file.publish(timestamp, databaseChecksum.afterPages());
            return checksum;
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
