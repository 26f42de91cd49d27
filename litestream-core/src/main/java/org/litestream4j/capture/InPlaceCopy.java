package org.litestream4j.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.wal.WalFile;
import org.litestream4j.wal.WalPageMap;
import org.litestream4j.wal.WalPosition;
import org.litestream4j.wal.WalScan;

/**
 * Copies a side file over a live database in one write transaction, with SQLite's backup API: readers see the old or the new
 * state. The API may report success and have done nothing (somebody else was writing, for instance), so that only the WAL
 * counts: the copy is done when a transaction stands there that has every page of the side file.
 */
final class InPlaceCopy {

    /** Of page 1, which SQLite itself changes: format, change counter, schema cookie, version-valid-for, SQLite version. */
    private static final int[][] CHANGED_BY_SQLITE = {{18, 20}, {24, 28}, {40, 44}, {92, 100}};

    private final SqliteSession session;
    private final WalSource wal;
    private final Path side;
    private final int pageSize;

    /** The WAL, once there is one. */
    @FunctionalInterface
    interface WalSource {
        Optional<WalFile> open() throws IOException;
    }

    /** @param pageSize of both */
    InPlaceCopy(SqliteSession session, WalSource wal, Path side, int pageSize) {
        this.session = session;
        this.wal = wal;
        this.side = side;
        this.pageSize = pageSize;
    }

    /**
     * Copies.
     *
     * @param from everything before is captured; a read transaction is held
     * @param timeout longest wait for other writers
     * @param cancelled asked about each second of that
     * @return the transaction that brought the new state; empty if it was not to be had, and nothing was changed
     */
    Optional<WalScan> copy(WalPosition from, Duration timeout, BooleanSupplier cancelled) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        WalPosition position = from;
        while (!cancelled.getAsBoolean()) {
            session.restoreFrom(side);
            Optional<WalFile> present = wal.open();
            if (present.isPresent()) {
                WalScan next = present.get().scan(position, 1); // one transaction
                while (next.found()) {
                    if (isCopy(present.get(), next)) {
                        return Optional.of(next);
                    }
                    position = next.end();
                    next = present.get().scan(position, 1);
                }
            }
            if (System.nanoTime() - deadline >= 0) {
                break;
            }
        }
        return Optional.empty();
    }

    private boolean isCopy(WalFile source, WalScan transaction) throws IOException {
        try (FileChannel channel = FileChannel.open(side, StandardOpenOption.READ)) {
            long pages = channel.size() / pageSize;
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

    private static boolean samePage(
            WalFile source, WalPageMap pages, long pgno, FileChannel channel, byte[] copied, byte[] wanted)
            throws IOException {
        int frame = pages.frame(pgno);
        if (frame < 0) {
            return false;
        }
        source.readPage(frame, copied);
        ByteBuffer buffer = ByteBuffer.wrap(wanted);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, (pgno - 1) * wanted.length + buffer.position()) < 0) {
                return false;
            }
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
