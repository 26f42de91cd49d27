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
 * Copies a side file over a live database in one write transaction, with SQLite's backup API. Readers see either the
 * old or the new state. The API may report success without a copy, for example because another connection was writing,
 * and it may report an error although the copy took effect. Therefore the copy counts as done only when SQLite counts a
 * committed transaction that contains every page of the side file.
 */
final class InPlaceCopy {

    /**
     * Ranges of page 1 that SQLite changes itself: file format versions, change counter, schema cookie,
     * version-valid-for, SQLite version.
     */
    private static final int[][] CHANGED_BY_SQLITE = {{18, 20}, {24, 28}, {40, 44}, {92, 100}};

    /** Number of consecutive errors after which the copy fails; errors caused by other connections do not count. */
    private static final int MAX_FAILURES = 2;

    /** Offset in page 1 of the last byte of the text encoding. */
    private static final int TEXT_ENCODING = 59;

    private static final Map<Integer, String> ENCODINGS = Map.of(0, "UTF-8", 1, "UTF-8", 2, "UTF-16le", 3, "UTF-16be");

    private final SqliteSession session;
    private final WalSource wal;
    private final Path side;
    private final int pageSize;
    private final long pages;
    private final long databaseChecksum;

    /** Opens the WAL; empty while there is none. */
    @FunctionalInterface
    interface WalSource {
        Optional<WalFile> open() throws IOException;
    }

    /**
     * @param pageSize page size of both databases in bytes
     * @param pages number of pages that the side file must have
     * @param databaseChecksum database checksum that the side file must have
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
     * Copies the side file into the database.
     *
     * @param from position up to which everything is captured; a read transaction must be held
     * @param timeout maximum wait for other writers
     * @param cancelled polled between the attempts
     * @return the transaction that contains the new state; empty if other writers left no opportunity and the database
     *     is unchanged
     * @throws IOException if the side file is not as it was restored, or SQLite cannot write; the database is unchanged
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

    /**
     * Returns whether SQLite counts a transaction as committed. Other frames come from a failed write; the next
     * transaction overwrites them.
     */
    private static boolean isCommitted(WalScan transaction, long frames) {
        long frameSize = requireNonNull(transaction.header()).frameSize();
        return transaction.end().offset() <= WalHeader.SIZE + frames * frameSize;
    }

    /**
     * Checks that the disk kept the restored file. SQLite would treat an empty file as an empty database, and copy it.
     */
    private void verifySide() throws IOException {
        try (FileChannel channel = FileChannel.open(side, StandardOpenOption.READ)) {
            if (channel.size() != pages * pageSize) {
                throw notAsRestored("it has " + channel.size() + " bytes instead of " + pages * pageSize);
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

    /**
     * Requires that both databases have the same text encoding. Open connections keep theirs: after the copy, SQLite
     * would refuse all their statements.
     */
    private void requireEncoding(String restored) throws IOException {
        String live = session.textEncoding();
        if (!live.equals(restored)) {
            throw new IOException("the database cannot be restored in place: its text encoding is " + live
                    + ", but that of the state to restore is " + restored
                    + "; nothing was changed. Stop the application and restore into the file from the command line");
        }
    }

    private void requireChecksum(long found) throws IOException {
        if (found != databaseChecksum) {
            throw notAsRestored("its database checksum is " + DatabaseChecksum.text(found) + " instead of "
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
