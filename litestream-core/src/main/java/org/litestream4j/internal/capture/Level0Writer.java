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

/** Writes level-0 files into {@link Staging}: the pages of a scan, the pages that differ, or the whole database. */
final class Level0Writer {

    private static final Txid FIRST = new Txid(1);

    /** WAL range for pages that are not from one part of a WAL. Litestream rejects offsets below the first frame. */
    private static final WalRange NO_WAL = new WalRange(WalHeader.SIZE, 0, 0, 0);

    private final Staging staging;
    private final Clock clock;
    private final PageEncoding encoding;
    private final RollingChecksum databaseChecksum;
    private volatile boolean stopped;

    /** @param databaseChecksum receives the checksum of each written page */
    Level0Writer(Staging staging, Clock clock, PageEncoding encoding, RollingChecksum databaseChecksum) {
        this.staging = staging;
        this.clock = clock;
        this.encoding = encoding;
        this.databaseChecksum = databaseChecksum;
    }

    /** Makes running writes fail with an {@link IOException}, and later ones at their start. Thread-safe. */
    void stop() {
        stopped = true;
    }

    private void checkRunning() throws IOException {
        if (stopped) {
            throw new IOException("stopped before the level-0 file was complete");
        }
    }

    /** Thrown if the WAL was reset although a read transaction should prevent that. The file was discarded. */
    static final class WalChangedException extends IOException {
        private static final long serialVersionUID = 1L;

        WalChangedException(String message) {
            super(message);
        }
    }

    /** Supplies the pages that a scan does not contain. */
    @FunctionalInterface
    interface MissingPages {
        PageSource open() throws IOException;
    }

    /**
     * Writes the pages of a scan, and all pages by which the database grew that the scan does not contain.
     *
     * @param scan scan with at least one transaction
     * @param previousCommit database size in pages before the scan
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
     * @param scan scan of the whole WAL, with or without transactions
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
     * Writes the pages whose checksums differ from the captured page checksums, and page 1 if the size differs.
     *
     * @param scan scan of the whole WAL, with or without transactions
     * @param previousCommit captured database size in pages
     * @param commit database size in pages
     * @return the file checksum; empty if no page differs and no file was written
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
     * Writes a file with page 1 only. It follows the first image, because that is uploaded as a snapshot and level 0
     * must not be empty.
     *
     * @param scan scan of the whole WAL, as used for the image
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

    /** Returns the WAL range for the header of a snapshot: the last frame of the scan. */
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
            throw new IllegalStateException("scan with transactions but without header");
        }
        return header;
    }

    /**
     * Returns the WAL range for the header. Its offset is never below the first frame; otherwise Litestream could not
     * take over.
     */
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
                wal.force(); // the replica must never be ahead of the local disk
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
