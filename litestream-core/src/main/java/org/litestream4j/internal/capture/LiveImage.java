package org.litestream4j.internal.capture;

import java.io.Closeable;
import java.io.IOException;
import java.sql.Connection;
import java.time.Clock;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPageMap;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;

/**
 * A state of the live database, kept unchanged by a read transaction of its own while another thread writes a snapshot
 * of it. Writers continue; only checkpoints wait. Used by one thread at a time, which must never be interrupted.
 */
public final class LiveImage implements Closeable {

    /** Size in bytes of frame header and index entry of each page. */
    private static final int PAGE_OVERHEAD = 32;

    private final CaptureSettings settings;
    private final Staging staging;
    private final Connection reader;
    private final State state;
    private final DatabaseFile file;
    private final @Nullable WalFile wal;
    private final long timestamp;

    private LiveImage(
            CaptureSettings settings,
            Staging staging,
            Connection reader,
            State state,
            DatabaseFile file,
            @Nullable WalFile wal,
            long timestamp) {
        this.settings = settings;
        this.staging = staging;
        this.reader = reader;
        this.state = state;
        this.file = file;
        this.wal = wal;
        this.timestamp = timestamp;
    }

    /**
     * The state that is kept unchanged.
     *
     * @param scan pages of the WAL up to the position; null if all of them are in the database file
     * @param databaseChecksum checksum of the database at the position; empty if it is unknown
     */
    record State(PositionRecord position, @Nullable WalScan scan, OptionalLong databaseChecksum) {}

    /** @param reader connection whose read transaction began before the state was captured; closed with the image */
    static LiveImage open(CaptureSettings settings, Staging staging, Connection reader, State state, Clock clock)
            throws IOException {
        DatabaseFile file = DatabaseFile.acquire(settings.database());
        boolean opened = false;
        try {
            WalFile wal = state.scan() != null ? WalFile.open(settings.wal()) : null;
            opened = true;
            return new LiveImage(settings, staging, reader, state, file, wal, clock.millis());
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    /** Returns the name of the snapshot, which contains all transactions up to the newest captured one. */
    public LtxFileName name() {
        return new LtxFileName(new Txid(1), state.position().txid());
    }

    /**
     * Writes the snapshot to {@link Capture#snapshots}.
     *
     * @param stop polled before each page
     * @return false if the write was stopped
     * @throws LostContinuityException if the checksum of the state is known and differs: the database was changed
     *     without SQLite, or frames were missed. The snapshot is then not published
     * @throws CaptureException if the disk has not enough space
     */
    public boolean write(BooleanSupplier stop) throws IOException {
        staging.prepare();
        int pageSize = state.position().pageSize();
        long commit = state.position().commit();
        checkSpace(commit * (pageSize + PAGE_OVERHEAD));
        try (Staging.Unfinished unfinished = staging.begin(name())) {
            LtxHeader header = LtxHeader.of(pageSize, commit, name().min(), name().max(), timestamp, range(pageSize));
            LtxWriter ltx = LtxWriter.open(unfinished.out(), header, settings.pageEncoding());
            WalScan scan = state.scan();
            PageSource source = new PageSource(file, wal, scan != null ? scan.pages() : new WalPageMap(), 0, pageSize);
            byte[] page = new byte[pageSize];
            long xor = 0;
            long lockPage = LockPage.pgno(pageSize);
            for (long pgno = 1; pgno <= commit; pgno++) {
                if (stop.getAsBoolean()) {
                    return false;
                }
                if (pgno != lockPage) {
                    source.read(pgno, page);
                    ltx.writePage(pgno, page);
                    xor ^= settings.databaseChecksum() ? ltx.pageChecksum() : 0;
                }
            }
            ltx.finish(0);
            requireSameWal();
            long actual = LtxChecksum.database(xor);
            long captured = state.databaseChecksum().orElse(actual);
            if (settings.databaseChecksum() && captured != actual) {
                throw new LostContinuityException(
                        settings.database(),
                        String.format(
                                "the database at transaction %s has checksum %016x, but its captured checksum is %016x",
                                name().max(), actual, captured));
            }
            unfinished.publish(timestamp, settings.databaseChecksum() ? OptionalLong.of(actual) : OptionalLong.empty());
            return true;
        }
    }

    private WalRange range(int pageSize) {
        WalScan scan = state.scan();
        return scan != null ? Level0Writer.lastFrame(scan, pageSize) : new WalRange(WalHeader.SIZE, 0, 0, 0);
    }

    private void checkSpace(long needed) throws IOException {
        long usable = staging.usableSpace();
        if (usable < needed) {
            throw new CaptureException(
                    settings.database(),
                    "a snapshot may need " + (needed >> 20) + " MiB in " + settings.metaPath() + ", but only "
                            + (usable >> 20) + " MiB are free",
                    "make room, or put the local state elsewhere with {metaPath}",
                    null);
        }
    }

    private void requireSameWal() throws IOException {
        if (wal != null
                && !wal.header()
                        .map(now -> now.sameSalts(state.position().wal()))
                        .orElse(false)) {
            throw new Level0Writer.WalChangedException("the WAL was reset while a snapshot was written; will retry");
        }
    }

    /** Ends the read transaction and closes the files. */
    @Override
    public void close() throws IOException {
        try {
            if (wal != null) {
                wal.close();
            }
        } finally {
            SqliteSession.closeQuietly(reader);
            file.close();
        }
    }
}
