package org.litestream4j.capture;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.Txid;
import org.litestream4j.wal.WalFile;
import org.litestream4j.wal.WalHeader;
import org.litestream4j.wal.WalPageMap;
import org.litestream4j.wal.WalPosition;
import org.litestream4j.wal.WalScan;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one database: {@link #attach}, then {@link #judge} whether the last run can be continued, else {@link #image}; then
 * {@link #capture} whenever something was committed, and {@link #checkpoint} when it is due.
 *
 * <p>Confined to the database's capture lane, whose threads are never interrupted; {@link #captured} may be called by any
 * thread. After an {@link IOException} the position is unchanged and the call may be repeated, but if
 * {@link #isAttached} is false then, it is {@link #attach} that must come next.
 */
public final class Capture implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(Capture.class);
    private static final int ATTEMPTS = 3;
    private static final long LONGEST_CHECKPOINT_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** Whether what was captured in an earlier run leads to what the database is now. */
    public enum Continuity {
        /** Nothing was missed: capturing goes on. */
        PROVEN,
        /** It cannot be proved: an image must follow. */
        UNPROVEN,
        /** The write lock, which the judgement needs, was not to be had. */
        UNDECIDED
    }

    private final CaptureSettings settings;
    private final Clock clock;
    private final CaptureListener listener;
    private final OwnerLock owner;
    private final Staging staging;
    private final Staging snapshots;
    private final PositionStore store;
    private final RollingChecksum checksum;
    private final Level0Writer writer;
    private final Checkpointer checkpointer;

    // Both or none: attached.
    private @Nullable SqliteSession session;
    private @Nullable OpenFiles files;

    /** Null until continuity is proven or an image was taken. */
    private @Nullable PositionRecord position;

    /** Of an earlier run; kept until it is judged or replaced. */
    private @Nullable PositionRecord recorded;

    private boolean pageSizeChanged;

    /** The file that was replaced while we had it open; null if none was. */
    private @Nullable Object replaced;

    /** Whether the file was overwritten while we had it open: the WAL is of the old one. */
    private boolean overwritten;

    /** What other threads see: the newest record that was saved. */
    private volatile @Nullable PositionRecord published;

    /** Where this run began: after a restore, its level-0 file is on the replica alone. */
    private volatile @Nullable PositionRecord first;

    public Capture(CaptureSettings settings, Clock clock, CaptureListener listener) {
        this.settings = settings;
        this.clock = clock;
        this.listener = listener;
        this.owner = new OwnerLock(settings.metaPath());
        this.staging = new Staging(settings.metaPath(), 0);
        this.snapshots = new Staging(settings.metaPath(), 9);
        this.store = new PositionStore(settings.metaPath());
        this.checksum = new RollingChecksum(settings);
        this.writer = new Level0Writer(staging, clock, settings.pageEncoding(), checksum);
        this.checkpointer = new Checkpointer(settings, this);
    }

    /** Whether this process, and in it this object, owns the local state; takes the ownership if nobody has it. */
    public boolean own() throws IOException {
        try {
            return owner.tryAcquire();
        } catch (FileSystemException e) {
            throw new CaptureException(
                    settings.database(),
                    "cannot create the local state in " + settings.metaPath() + ": " + e,
                    "make the folder writable, or put the local state elsewhere with meta-path",
                    e);
        }
    }

    /** Lets another process take over; call after {@link #close}. */
    public void disown() throws IOException {
        owner.close();
    }

    /**
     * Opens the database and begins the read transaction: from here on no frame is lost.
     *
     * @throws NoSuchFileException if there is no database
     * @throws CaptureException naming what is wrong with the database and what to do
     */
    public void attach() throws IOException {
        if (session != null) {
            throw new IllegalStateException("attached already: " + settings.database());
        }
        if (!Files.exists(settings.database())) {
            throw new NoSuchFileException(settings.database().toString());
        }
        requireReplacedIsClosed();
        staging.prepare();
        position = null;
        recorded = store.load().orElse(null);
        if (recorded != null || published == null) { // a record lost on the way does not make TXIDs new again
            published = recorded;
        }
        first = recorded;
        staging.deleteAfter(captured()); // never visible, the record tells
        OpenFiles opened =
                new OpenFiles(settings.database(), settings.wal()); // before SQLite: no replacement is missed
        if (overwritten) {
            SqliteSession.emptyWal(settings.database(), settings.busyTimeout());
            overwritten = false;
        }
        session = SqliteSession.open(settings.database(), settings.busyTimeout(), listener);
        files = opened;
        boolean checked = false;
        try {
            requireWalOfSqlite();
            checked = true;
        } finally {
            if (!checked) {
                detachQuietly();
            }
        }
    }

    /** Who has the old file open writes where nobody will look, into a WAL that the new file would share. */
    private void requireReplacedIsClosed() throws IOException {
        if (replaced != null) {
            DatabaseFile.closeUnused();
            boolean back = replaced.equals(DatabaseFile.keyOf(settings.database()));
            if (!back && DatabaseFile.isOpenElsewhere(replaced)) {
                throw new CaptureException(
                        settings.database(),
                        "the database file was replaced, and connections of this process still use the old one: what they"
                                + " commit is lost",
                        "close them, or restart the application; replication begins anew with the present file then",
                        null);
            }
            replaced = null;
        }
    }

    /** Who deletes or replaces a WAL in use leaves SQLite with one that nobody else can see. */
    private void requireWalOfSqlite() throws IOException {
        for (int attempt = 1; ; attempt++) {
            long expected = attempt == 1 ? session().framesAtOpen() : session().walFrames();
            Optional<WalFile> present = files().wal();
            long found = present.isPresent()
                    ? present.get().scan(WalPosition.NONE, Long.MAX_VALUE).frames()
                    : 0;
            if (found >= expected) {
                return;
            }
            if (attempt == ATTEMPTS) { // less than that, and it may have been reset between the two looks
                throw new CaptureException(
                        settings.database(),
                        "the WAL file was deleted or replaced while the database was open: it has " + found
                                + " of SQLite's " + expected + " frames",
                        "close all connections to the database; what they have in common with the present files is"
                                + " captured then",
                        null);
            }
        }
    }

    public boolean isAttached() {
        return session != null;
    }

    /** Whether the position is known, so that {@link #capture} can go on. */
    public boolean isContinuous() {
        return position != null;
    }

    /** Newest transaction whose level-0 file is whole and durable here. Any thread. */
    public Txid captured() {
        PositionRecord record = published;
        return record != null ? record.txid() : Txid.NONE;
    }

    /**
     * The file checksum of the level-0 file of a captured transaction, whether or not the file is still here; empty if it is
     * not known any more. Any thread.
     */
    public OptionalLong fileChecksum(Txid txid) throws IOException {
        for (PositionRecord record : new PositionRecord[] {published, first}) {
            if (record != null && record.txid().equals(txid)) {
                return OptionalLong.of(record.fileChecksum());
            }
        }
        try {
            return OptionalLong.of(staging.fileChecksum(LtxFileName.of(txid)));
        } catch (NoSuchFileException | LtxFormatException e) {
            return OptionalLong.empty();
        }
    }

    /** Whether the database has no table, index, view or trigger. */
    public boolean isEmpty() throws IOException {
        return guarded(() -> session().schemaSize() == 0);
    }

    /** The local level-0 files. Any thread may use them. */
    public Staging staging() {
        return staging;
    }

    /** Where {@link LiveImage} puts snapshots until they are uploaded. Any thread may use it. */
    public Staging snapshots() {
        return snapshots;
    }

    /** Judges, with the write lock held for a moment, whether the recorded position leads to the present database. */
    public Continuity judge() throws IOException {
        return guarded(() -> {
            PositionRecord record = recorded;
            if (record == null) {
                session().rest();
                return Continuity.UNPROVEN;
            }
            PositionRecord[] proven = new PositionRecord[1];
            if (!session().underWriteLock(() -> proven[0] = provenPosition(record))) {
                return Continuity.UNDECIDED;
            }
            session().rest();
            if (proven[0] == null) {
                log.info(
                        "continuity cannot be proven: db={} recorded={} file={} wal={}",
                        settings.database(),
                        record,
                        Fingerprint.of(settings.database()),
                        walHeader().orElse(null));
                warnOfForeignWal(record);
                return Continuity.UNPROVEN;
            }
            moveTo(proven[0]);
            if (!nothingAfterPosition()) {
                files().frozen(null); // committed before our reader began: it holds a checkpoint back only at its mark
            }
            checksum.resume(proven[0]);
            checkpointer.written();
            return Continuity.PROVEN;
        });
    }

    private void warnOfForeignWal(PositionRecord record) throws IOException {
        if (walHeader().map(header -> header.sameSalts(record.wal())).orElse(false)
                && files().wal().orElseThrow().leadsTo(record.wal())) {
            log.warn(
                    "the database file is another than the WAL beside it was written for, and SQLite has applied that WAL:"
                            + " check whether the database is what it should be: db={}",
                    settings.database());
        }
    }

    private @Nullable PositionRecord provenPosition(PositionRecord record) throws IOException {
        Fingerprint now = Fingerprint.of(settings.database());
        if (!now.sameFile(record.file()) || session().pageSize() != record.pageSize()) {
            return null;
        }
        boolean unchanged = now.equals(record.file());
        Optional<WalHeader> header = walHeader();
        if (header.isPresent() && header.get().sameSalts(record.wal())) {
            // Whether the reader of this run is at mark 0 is not known: a new round must find out.
            boolean intact = (record.frozen() ? unchanged : !isWrittenLater(now))
                    && files().wal().orElseThrow().leadsTo(record.wal());
            return intact ? record.thawed() : null;
        }
        return record.atFrozenEnd() && unchanged ? record : null;
    }

    /**
     * Whether the file was written later than a checkpoint can have been that the last run died in. Each of its captures, and
     * each commit, left a mark in time.
     */
    private boolean isWrittenLater(Fingerprint file) throws IOException {
        long last = Math.max(
                Fingerprint.of(settings.wal()).modified(), store.saved().modified());
        return file.changed() > last + LONGEST_CHECKPOINT_NANOS;
    }

    /**
     * Captures the whole database as one level-0 file.
     *
     * @param after the transaction before it; the image gets the next TXID. The image of TXID 1 is a snapshot and goes to
     *     that level of the replica, so TXID 2 follows at once: a level-0 file with page 1 alone
     * @param discard whether the local files belong to another history and go
     */
    public void image(Txid after, boolean discard) throws IOException {
        guarded(() -> {
            PositionRecord before = position != null ? position : recorded;
            pageSizeChanged = before != null && before.pageSize() != session().pageSize();
            if (discard) {
                store.delete();
                recorded = null;
                position = null;
                published = null;
                staging.deleteAfter(Txid.NONE);
            }
            for (int attempt = 1; ; attempt++) {
                try {
                    takeImage(after.next());
                    return null;
                } catch (Level0Writer.WalChangedException e) {
                    if (attempt == ATTEMPTS) {
                        throw e;
                    }
                }
            }
        });
    }

    private void takeImage(Txid txid) throws IOException {
        Optional<WalFile> present = files().wal();
        WalScan scan = present.isPresent()
                ? present.get().scan(WalPosition.NONE, Long.MAX_VALUE)
                : new WalScan(null, WalPosition.NONE, WalPosition.NONE, 0, new WalPageMap(), false);
        int pageSize = session().pageSize();
        long commit = scan.found() ? scan.commit() : session().pageCount();
        Fingerprint file = Fingerprint.of(settings.database());
        long copied = scan.found()
                ? session().framesCopied()
                : 0; // after the scan: a WAL that was reset since is found out at the end
        PageSource source = new PageSource(files().database(), present.orElse(null), scan.pages(), copied, pageSize);
        WalFile walFile = present.orElse(null);
        long fileChecksum = writer.writeImage(txid, walFile, scan, commit, pageSize, source);
        Txid last = txid;
        if (txid.previous().isNone()) {
            last = txid.next();
            fileChecksum = writer.writeFirstPage(last, walFile, scan, commit, pageSize, source);
        }
        PositionRecord taken = new PositionRecord(
                last, fileChecksum, pageSize, commit, scan.end(), files().attached(), false, WalPosition.NONE);
        // Without frames the reader has been at mark 0 from its beginning.
        if (!scan.found() && !Fingerprint.of(settings.database()).sameContent(file)) {
            throw new IOException(settings.database() + ": somebody overwrites the database file; it is tried again");
        }
        moveTo(scan.found() ? taken : taken.frozen(file));
        checksum.captured();
        checkpointer.written();
        log.info("database captured whole: db={} txid={} pages={}", settings.database(), txid, commit);
    }

    /** Whether the last image has another page size than what was captured before: no merge can lead to it. */
    public boolean isPageSizeChanged() {
        return pageSizeChanged;
    }

    /**
     * Captures everything that is committed now, in one or (past the size limit) several level-0 files. What is committed
     * meanwhile may be left for the next call: writers that are faster must not keep the checkpoints away.
     *
     * @return whether there was anything
     */
    public boolean capture() throws IOException {
        return guarded(() -> {
            boolean any = false;
            boolean more = true;
            long end = -1; // of the WAL at the beginning, or after that
            while (more) {
                Optional<WalFile> present = files().wal();
                if (present.isEmpty() || !present.get().hasFrameAfter(position().wal())) {
                    return any;
                }
                end = end < 0 ? present.get().size() : end;
                WalScan scan = present.get().scan(position().wal(), settings.maxSyncWalBytes());
                if (!scan.found()) {
                    return any;
                }
                captureScan(present.get(), scan);
                any = true;
                more = scan.more() && scan.end().offset() < end;
            }
            return any;
        });
    }

    /** Whether there is something that {@link #capture} may find. */
    public boolean hasMore() throws IOException {
        return guarded(() -> !nothingAfterPosition());
    }

    private void captureScan(WalFile source, WalScan scan) throws IOException {
        PositionRecord before = files().isFrozen() ? position() : position().thawed();
        if (requireNonNull(scan.header()).pageSize() != before.pageSize()) {
            throw new CaptureException(
                    settings.database(), "the WAL has another page size than the database", "", null);
        }
        Txid txid = before.txid().next();
        long fileChecksum =
                writer.writeIncrement(txid, source, scan, before.commit(), () -> missingPages(source, before));
        moveTo(before.captured(txid, fileChecksum, scan.commit(), scan.end()));
        checksum.captured();
        checkpointer.written();
    }

    /** Pages that SQLite counts but did not write since the position: as SQLite itself would read them. */
    private PageSource missingPages(WalFile source, PositionRecord before) throws IOException {
        WalPageMap all = source.scan(WalPosition.NONE, Long.MAX_VALUE).pages();
        return new PageSource(files().database(), source, all, 0, before.pageSize());
    }

    /**
     * Captures everything that is committed now, and holds this state of the database still so that another thread can write a
     * snapshot of it.
     *
     * @return what the caller must close, whatever becomes of this object
     */
    public LiveImage openImage() throws IOException {
        return guarded(() -> {
            Connection reader = session().openReader();
            boolean opened = false;
            try {
                LiveImage.State captured = captureAll();
                LiveImage image = LiveImage.open(settings, snapshots, reader, captured, clock);
                opened = true;
                return image;
            } finally {
                if (!opened) {
                    SqliteSession.closeQuietly(reader);
                }
            }
        });
    }

    /** Call after the image's own reader began: it then holds the WAL, or sees the database file alone. */
    private LiveImage.State captureAll() throws IOException {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            capture();
            PositionRecord now = position();
            if ((now.atFrozenEnd() || now.wal().equals(WalPosition.NONE)) && nothingAfterPosition()) {
                return new LiveImage.State(now, null, checksum.atPosition());
            }
            Optional<WalFile> present = files().wal();
            if (present.isPresent() && now.wal().offset() > WalHeader.SIZE) {
                WalScan scan = present.get().scan(WalPosition.NONE, now.wal().offset() - WalHeader.SIZE);
                if (scan.end().equals(now.wal())) {
                    return new LiveImage.State(now, scan, checksum.atPosition());
                }
            }
        }
        throw new IOException(settings.database() + ": the WAL changed while a snapshot began; it is tried again");
    }

    /** Of the database, in bytes. */
    public int pageSize() {
        return position().pageSize();
    }

    /**
     * Brings the database to the content of a side file, in one write transaction.
     *
     * @param side a database of the same page size that nobody has open
     * @param timeout longest wait for other writers
     * @param cancelled asked about each second of that
     * @return the last transaction before it, captured as one of its own; empty if other writers left no room, and nothing
     *     was changed
     */
    public Optional<Txid> restoreInPlace(Path side, Duration timeout, BooleanSupplier cancelled) throws IOException {
        return guarded(() -> {
            capture();
            Optional<WalScan> copied = new InPlaceCopy(session(), files()::wal, side, pageSize())
                    .copy(position().wal(), timeout, cancelled);
            if (copied.isEmpty()) {
                return Optional.empty();
            }
            captureUntil(copied.get());
            Txid before = captured();
            capture();
            return Optional.of(before);
        });
    }

    /** Captures what was committed before a transaction that the WAL holds. */
    private void captureUntil(WalScan transaction) throws IOException {
        WalFile source = files().wal().orElseThrow();
        WalHeader header = requireNonNull(transaction.header());
        while (true) {
            WalPosition from = header.sameSalts(position().wal()) ? position().wal() : WalPosition.start(header);
            long left = transaction.start().offset() - from.offset();
            if (left <= 0) {
                return;
            }
            WalScan scan = source.scan(from, Math.min(left, settings.maxSyncWalBytes()));
            if (!scan.found() || scan.end().offset() > transaction.start().offset()) {
                throw new IOException(settings.database() + ": the WAL changed while it was read");
            }
            captureScan(source, scan);
        }
    }

    /** Runs a checkpoint round if one is due. True if it ran. */
    public boolean checkpoint() throws IOException {
        return guarded(checkpointer::roundIfDue);
    }

    /** In nanoseconds, until a checkpoint round may become due without further writes; negative if none will. */
    public long nanosUntilCheckpoint() {
        return checkpointer.nanosUntilDue();
    }

    /**
     * Goes on, if it is time, with finding out the checksum of the database where neither a clean stop nor an image has left
     * it. In nanoseconds, when it is time again; negative if it is known, or not wanted.
     */
    public long completeChecksum() throws IOException {
        return guarded(() -> {
            if (checksum.nanosUntilDue() == 0) {
                if (checksum.isBegun()) {
                    checksum.fill(files().database());
                } else {
                    capture(); // to the mark of our reader at least
                    checksum.begin(position(), files().wal().orElse(null));
                }
            }
            return checksum.nanosUntilDue();
        });
    }

    /** Forgets what was known of the database's checksum: it is found out anew. */
    public void forgetChecksum() {
        checksum.forget();
    }

    /** The checksum of the database at its position; empty if it is not known. */
    public OptionalLong databaseChecksum() {
        return checksum.atPosition();
    }

    /** A last capture and a round, so that the next start can go on without the WAL. */
    public void finish() throws IOException {
        guarded(() -> {
            capture();
            checkpointer.round(true);
            checksum.save(position());
            return null;
        });
    }

    /** Captures no more, but goes on to checkpoint: nobody else does, and the WAL would only grow. */
    public void checkpointOnly() throws IOException {
        guarded(() -> {
            position = null;
            checksum.forget();
            session().checkpointWithoutReader();
            return null;
        });
    }

    /**
     * Lets go of the database. Call when no application connection of this process is left, or SQLite's last close will not
     * be ours. Idempotent.
     */
    @Override
    public void close() throws IOException {
        SqliteSession closing = session;
        OpenFiles releasing = files;
        session = null;
        files = null;
        position = null;
        checksum.forget();
        if (releasing == null) {
            return;
        }
        if (releasing.isReplaced()) {
            replaced = releasing.key();
        }
        overwritten |= releasing.isOverwritten();
        try (releasing) {
            releasing.closeWal();
            if (closing != null) {
                closing.close();
            }
        }
    }

    /**
     * Records that a restore brought the database file to a transaction, so that the next start goes on from there.
     *
     * @param fileChecksum of the transaction's level-0 file; if that file is here, its own counts
     */
    public static void recordRestored(
            Path database, Path metaPath, Txid txid, long fileChecksum, int pageSize, long commit) throws IOException {
        Files.createDirectories(metaPath);
        Staging staging = new Staging(metaPath, 0);
        LtxFileName newest = LtxFileName.of(txid);
        new PositionStore(metaPath)
                .save(new PositionRecord(
                        txid,
                        Files.exists(staging.path(newest)) ? staging.fileChecksum(newest) : fileChecksum,
                        pageSize,
                        commit,
                        WalPosition.NONE,
                        Fingerprint.of(database),
                        true,
                        WalPosition.NONE));
    }

    /** Ends what is going on at the next page, with an {@link IOException}, and captures nothing more. Any thread. */
    public void stop() {
        writer.stop();
    }

    /**
     * Closes the descriptors of databases that nobody here has open any more; call after {@link #close}, once for many. Where
     * it cannot be told whether they are the last (closing one drops SQLite's locks on the file), they stay open.
     */
    public static void closeUnusedFiles() throws IOException {
        DatabaseFile.closeUnused();
    }

    // For the checkpointer.

    SqliteSession session() {
        if (session == null) {
            throw new IllegalStateException("not attached: " + settings.database());
        }
        return session;
    }

    private OpenFiles files() {
        if (files == null) {
            throw new IllegalStateException("not attached: " + settings.database());
        }
        return files;
    }

    private Optional<WalHeader> walHeader() throws IOException {
        Optional<WalFile> present = files().wal();
        return present.isPresent() ? present.get().header() : Optional.empty();
    }

    PositionRecord position() {
        if (position == null) {
            throw new IllegalStateException("no position yet: " + settings.database());
        }
        return position;
    }

    /**
     * Lets the new read transaction take over: everything up to its mark is captured before the old one ends.
     *
     * @param beforeEnd what else must have happened before that
     */
    void swapReaders(SqliteSession.IoAction beforeEnd) throws IOException {
        session().beginNewReader();
        boolean complete = false;
        try {
            capture();
            beforeEnd.run();
            complete = true;
        } finally {
            if (!complete && session != null) {
                session().abandonNewReader();
            }
        }
        session().endOldReader();
    }

    /** Pages in the WAL up to the captured end. */
    long walPages() {
        return pagesUpTo(position().wal());
    }

    /** Pages in the present WAL up to a place in it; 0 if that was in an earlier one. */
    long pagesUpTo(WalPosition place) {
        PositionRecord now = position();
        boolean present =
                place.salt1() == now.wal().salt1() && place.salt2() == now.wal().salt2();
        return present ? (place.offset() - WalHeader.SIZE) / (now.pageSize() + WalFile.FRAME_HEADER_SIZE) : 0;
    }

    boolean nothingAfterPosition() throws IOException {
        Optional<WalFile> present = files().wal();
        return present.isEmpty() || !present.get().hasCommitAfter(position().wal());
    }

    /** Brings to the disk what checkpoints have written so far, so that the next one has less to wait for. */
    void forceDatabase() throws IOException {
        files().database().force();
    }

    /** Our reader is at mark 0 and everything captured is in the database file: from here on it cannot change. */
    void freeze() throws IOException {
        moveTo(position().frozen(Fingerprint.of(settings.database())));
    }

    /** Before the next checkpoint; there is no need to as long as nothing was captured since. */
    void thaw() throws IOException {
        if (position().frozen() && !position().atFrozenEnd()) {
            moveTo(position().thawed());
        }
    }

    private void moveTo(PositionRecord next) throws IOException {
        store.save(next);
        position = next;
        published = next;
        files().frozen(next.frozen() ? next.file() : null);
    }

    /** After an error of SQLite nothing is known about the read transactions: begin anew, and judge anew. */
    private <T> T guarded(Step<T> step) throws IOException {
        try {
            return step.run();
        } catch (CaptureException e) {
            detachQuietly();
            throw e;
        }
    }

    private void detachQuietly() {
        try {
            close();
        } catch (IOException e) {
            log.debug("closing after an error failed: db={}", settings.database(), e);
        }
    }

    @FunctionalInterface
    private interface Step<T> {
        T run() throws IOException;
    }
}
