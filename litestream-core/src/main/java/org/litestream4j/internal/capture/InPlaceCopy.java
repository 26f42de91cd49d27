package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPageMap;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;

/**
 * Copies a side file over a live database in one write transaction, with SQLite's backup API: readers see the old or the new
 * state. The API may report success and have done nothing (another connection was writing, for instance), and it may report an
 * error for a write that took effect. So neither the answer nor the WAL file alone counts: the copy is done when SQLite counts a
 * transaction as committed that has every page of the side file.
 */
final class InPlaceCopy {

    /** Of page 1, which SQLite itself changes: format, change counter, schema cookie, version-valid-for, SQLite version. */
    private static final int[][] CHANGED_BY_SQLITE = {{18, 20}, {24, 28}, {40, 44}, {92, 100}};

    /** In a row, which waiting for other connections does not cure. */
    private static final int MAX_FAILURES = 2;

    /** Of page 1: the last byte of the text encoding. */
    private static final int TEXT_ENCODING = 59;

    private static final Map<Integer, String> ENCODINGS = Map.of(0, "UTF-8", 1, "UTF-8", 2, "UTF-16le", 3, "UTF-16be");

    private final SqliteSession session;
    private final WalSource wal;
    private final Path side;
    private final int pageSize;
    private final long pages;
    private final long databaseChecksum;

    /** The WAL, once there is one. */
    @FunctionalInterface
    interface WalSource {
        Optional<WalFile> open() throws IOException;
    }

    /**
     * @param pageSize of both
     * @param pages that the side file must have
     * @param databaseChecksum that it must have
     */
    InPlaceCopy(SqliteSession session, WalSource wal, Path side, int pageSize, long pages, long databaseChecksum) {
        this.session = session;
        this.wal = wal;
        this.side = side;
        this.pageSize = pageSize;
        this.pages = pages;
        this.databaseChecksum = databaseChecksum;
    }

    /**
     * Copies.
     *
     * @param from everything before is captured; a read transaction is held
     * @param timeout longest wait for other writers
     * @param cancelled asked about each second of that
     * @return the transaction that brought the new state; empty if other writers left no room for it, and nothing was changed
     * @throws IOException if the side file is not what was restored, or SQLite cannot write; nothing was changed
     */
    Optional<WalScan> copy(WalPosition from, Duration timeout, BooleanSupplier cancelled) throws IOException {
        verifySide();
        long deadline = System.nanoTime() + timeout.toNanos();
        WalPosition position = from;
        int failures = 0;
        while (!cancelled.getAsBoolean()) {
            int result = session.restoreFrom(side);
            Optional<WalFile> present = wal.open();
            if (present.isPresent()) {
                long committed = session.count().committed();
                WalScan next = present.get().scan(position, 1, committed); // one transaction
                while (next.found() && isCommitted(next, committed)) {
                    if (isCopy(present.get(), next)) {
                        return Optional.of(next);
                    }
                    position = next.end();
                    next = present.get().scan(position, 1, committed);
                }
            }
            failures = SqliteErrors.mayPass(result) ? 0 : failures + 1;
            if (failures == MAX_FAILURES) {
                throw new IOException("cannot copy " + side + " into the database: SQLite result code " + result
                        + "; nothing was changed");
            }
            if (System.nanoTime() - deadline >= 0) {
                break;
            }
        }
        return Optional.empty();
    }

    /** Frames that SQLite does not count are those of a write that failed: the next transaction overwrites them. */
    private static boolean isCommitted(WalScan transaction, long frames) {
        long frameSize = requireNonNull(transaction.header()).frameSize();
        return transaction.end().offset() <= WalHeader.SIZE + frames * frameSize;
    }

    /** A disk may have lost what was written: SQLite would take an empty file for an empty database, and copy that. */
    private void verifySide() throws IOException {
        try (FileChannel channel = FileChannel.open(side, StandardOpenOption.READ)) {
            if (channel.size() != pages * pageSize) {
                throw notAsRestored("it has " + channel.size() + " bytes in place of " + pages * pageSize);
            }
            byte[] page = new byte[pageSize];
            long xor = 0;
            int encoding = 0;
            for (long pgno = 1; pgno <= pages; pgno++) {
                if (pgno != LockPage.pgno(pageSize)) {
                    if (!readPage(channel, pgno, page)) {
                        throw notAsRestored("it ends before page " + pgno);
                    }
                    xor ^= LtxChecksum.page(pgno, page);
                }
                if (pgno == 1) {
                    encoding = page[TEXT_ENCODING];
                }
            }
            requireChecksum(LtxChecksum.database(xor));
            if (pages > 0) {
                requireEncoding(ENCODINGS.getOrDefault(encoding, "unknown"));
            }
        }
    }

    /** Connections that are open keep their encoding: after the copy, SQLite would refuse each statement of theirs. */
    private void requireEncoding(String restored) throws IOException {
        String live = session.textEncoding();
        if (!live.equals(restored)) {
            throw new IOException("the database cannot be restored in place: its text encoding is " + live
                    + ", that of the state to restore " + restored
                    + "; nothing was changed. Stop the application and restore into the file from the command line");
        }
    }

    private void requireChecksum(long found) throws IOException {
        if (found != databaseChecksum) {
            throw notAsRestored("its database checksum is " + DatabaseChecksum.text(found) + " in place of "
                    + DatabaseChecksum.text(databaseChecksum));
        }
    }

    private IOException notAsRestored(String problem) {
        return new IOException("the disk did not keep the restored file " + side + ": " + problem
                + "; the database was not changed. Check the disk");
    }

    private boolean isCopy(WalFile source, WalScan transaction) throws IOException {
        try (FileChannel channel = FileChannel.open(side, StandardOpenOption.READ)) {
            long lockPage = LockPage.pgno(pageSize);
            if (transaction.commit() != pages || transaction.pages().size() < pages - (pages >= lockPage ? 1 : 0)) {
                return false;
            }
            byte[] copied = new byte[pageSize];
            byte[] wanted = new byte[pageSize];
            for (long pgno = 1; pgno <= pages; pgno++) {
                if (pgno != lockPage && !samePage(source, transaction.pages(), pgno, channel, copied, wanted)) {
                    return false;
                }
            }
            return true;
        }
    }

    private static boolean readPage(FileChannel channel, long pgno, byte[] page) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(page);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, (pgno - 1) * page.length + buffer.position()) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean samePage(
            WalFile source, WalPageMap pages, long pgno, FileChannel channel, byte[] copied, byte[] wanted)
            throws IOException {
        int frame = pages.frame(pgno);
        if (frame < 0) {
            return false;
        }
        source.readPage(frame, copied);
        if (!readPage(channel, pgno, wanted)) {
            return false;
        }
        if (pgno == 1) {
            for (int[] range : CHANGED_BY_SQLITE) {
                Arrays.fill(copied, range[0], range[1], (byte) 0);
                Arrays.fill(wanted, range[0], range[1], (byte) 0);
            }
        }
        return Arrays.equals(copied, wanted);
    }
}
