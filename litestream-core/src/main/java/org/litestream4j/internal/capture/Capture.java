package org.litestream4j.internal.capture;

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
import java.util.function.BooleanSupplier;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one database, and owns its local state: {@link #attach}, then {@link #judge} whether the last run can be
 * continued, else {@link #image}; then {@link #capture} whenever something was committed, and {@link #checkpoint} when it is
 * due.
 *
 * <p>Confined to the database's capture lane, whose threads are never interrupted; {@link #captured} may be called by any
 * thread. After an {@link IOException} the position is unchanged and the call may be repeated, but if
 * {@link #isAttached} is false then, it is {@link #attach} that must come next.
 */
public final class Capture implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(Capture.class);
    private static final int ATTEMPTS = 3;

    /** Whether what was captured in an earlier run leads to what the database is now. */
    public enum Continuity {
        /** Everything committed since is captured. */
        PROVEN,
        /** It cannot be proved: an image must follow. */
        UNPROVEN
    }

    private final CaptureSettings settings;
    private final Clock clock;
    private final OwnerLock owner;
    private final Staging staging;
    private final Staging snapshots;
    private final Attachment attachment;
    private final Position position;
    private final RollingChecksum checksum;
    private final Level0Writer writer;
    private final Increments increments;
    private final Continuation continuation;
    private final Checkpointer checkpointer;
    private final Audit audit;
    private final UncapturedCheckpoints uncaptured;

    public Capture(CaptureSettings settings, Clock clock, CaptureListener listener) {
        this.settings = settings;
        this.clock = clock;
        this.owner = new OwnerLock(settings.metaPath());
        this.staging = new Staging(settings.metaPath(), 0);
        this.snapshots = new Staging(settings.metaPath(), 9);
        this.attachment = new Attachment(settings, listener);
        this.position = new Position(settings, staging, attachment);
        this.checksum = new RollingChecksum(settings);
        this.writer = new Level0Writer(staging, clock, settings.pageEncoding(), checksum);
        this.increments = new Increments(settings, attachment, position, writer, checksum);
        FullImage fullImage = new FullImage(settings, attachment, writer, checksum);
        this.continuation = new Continuation(settings, attachment, position, staging, increments, fullImage, checksum);
        this.checkpointer = new Checkpointer(settings, attachment, position, increments);
        this.audit = new Audit(settings, attachment, position, increments, checksum);
        this.uncaptured = new UncapturedCheckpoints(settings, attachment);
    }

    /** Whether this process, and in it this object, owns the local state; takes the ownership if nobody has it. */
    public boolean own() throws IOException {
        try {
            return owner.tryAcquire();
        } catch (FileSystemException e) {
            throw new CaptureException(
                    settings.database(),
                    "cannot create the local state in " + settings.metaPath() + ": " + e,
                    "make the folder writable, or put the local state elsewhere with litestream.meta-path (in plain"
                            + " Java metaPath)",
                    e);
        }
    }

    /**
     * Whether the local state was deleted or replaced while we own it: nothing of it can be relied on, nor can it be written.
     * {@link #close}, {@link #disown} and begin anew.
     */
    public boolean isLocalStateLost() throws IOException {
        return owner.isLost() || (isAttached() && !staging.isThere());
    }

    /**
     * Checkpoints, if it is time, a database whose position is not known: an image comes next, so that no frame has to be kept for
     * it, and the WAL must not grow until then.
     *
     * @return in nanoseconds, when to call again
     */
    public long checkpointUncaptured() throws IOException {
        return guarded(uncaptured::runIfDue);
    }

    /** Whether an engine of this process that was closed, but was busy then, has not released the database yet. */
    public boolean isLeftOpen() throws IOException {
        return owner.isLeftOpen();
    }

    /** Tells engines that want to take over that this one was closed, and is busy for some time yet. Any thread. */
    public void leaveOpen() {
        owner.leaveOpen();
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
        if (attachment.isOpen()) {
            throw new IllegalStateException("attached already: " + settings.database());
        }
        if (!Files.exists(settings.database())) {
            throw new NoSuchFileException(settings.database().toString());
        }
        staging.prepare();
        position.load();
        attachment.open();
        increments.readerBegan();
    }

    public boolean isAttached() {
        return attachment.isOpen();
    }

    /** Whether the position is known, so that {@link #capture} can go on. */
    public boolean isContinuous() {
        return position.isKnown();
    }

    /** Newest transaction whose level-0 file is whole and durable here. Any thread. */
    public Txid captured() {
        return position.captured();
    }

    /**
     * The file checksum of the level-0 file of a captured transaction, whether or not the file is still here; empty if it is
     * not known any more. Any thread.
     */
    public OptionalLong fileChecksum(Txid txid) throws IOException {
        return position.fileChecksum(txid);
    }

    /** Whether the database has no table, index, view or trigger. */
    public boolean isEmpty() throws IOException {
        return guarded(() -> attachment.session().schemaSize() == 0);
    }

    /** Pages of the database as they are now. */
    public LivePages pages() throws IOException {
        return guarded(() -> LivePages.of(attachment));
    }

    /** The local level-0 files. Any thread may use them. */
    public Staging staging() {
        return staging;
    }

    /** Where {@link LiveImage} puts snapshots until they are uploaded. Any thread may use it. */
    public Staging snapshots() {
        return snapshots;
    }

    /**
     * Checks whether the recorded position leads to the present database, and captures what was committed since: until that
     * is done the WAL may begin anew, and what is in it would be lost. Where the WAL does not prove it, and the page checksums
     * of the position are saved, the whole database is read, and the pages that differ are the next level-0 file.
     */
    public Continuity judge() throws IOException {
        return guarded(continuation::establish);
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
            continuation.image(after, discard);
        });
    }

    /** Whether the last image has another page size than what was captured before: no merge can lead to it. */
    public boolean isPageSizeChanged() {
        return continuation.isPageSizeChanged();
    }

    /**
     * Captures everything that is committed now, in one or (past the size limit) several level-0 files. What is committed
     * meanwhile may be left for the next call: writers that are faster must not keep the checkpoints away.
     *
     * @return whether there was anything
     */
    public boolean capture() throws IOException {
        return guarded(increments::capture);
    }

    /** Whether there is something that {@link #capture} may find. */
    public boolean hasMore() throws IOException {
        return guarded(increments::hasMore);
    }

    /**
     * Captures everything that is committed now, and holds this state of the database still so that another thread can write a
     * snapshot of it.
     *
     * @return what the caller must close, whatever becomes of this object
     */
    public LiveImage openImage() throws IOException {
        return guarded(() -> {
            Connection reader = attachment.session().openReader();
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
            increments.capture();
            PositionRecord now = position.get();
            if (now.wal().offset() == WalHeader.SIZE || (now.atFrozenEnd() && !increments.hasMore())) {
                return new LiveImage.State(now, null, checksum.atPosition());
            }
            WalScan scan = attachment
                    .files()
                    .wal()
                    .scan(WalPosition.NONE, Long.MAX_VALUE, now.wal().frames(now.pageSize()));
            if (scan.end().equals(now.wal())) {
                return new LiveImage.State(now, scan, checksum.atPosition());
            }
        }
        throw new IOException(settings.database() + ": the WAL was reset while a snapshot was started; will retry");
    }

    /** Of the database, in bytes. */
    public int pageSize() {
        return position.get().pageSize();
    }

    /**
     * Brings the database to the content of a side file, in one write transaction.
     *
     * @param side a database of the same page size that nobody has open
     * @param pages that it has
     * @param databaseChecksum that it has
     * @param timeout longest wait for other writers
     * @param cancelled asked about each second of that
     * @return the last transaction before it, captured as one of its own; empty if other writers left no room, and nothing
     *     was changed
     * @throws CopiedException if it was changed, but not captured
     * @throws IOException also if the side file does not have these pages; nothing was changed
     */
    public Optional<Txid> restoreInPlace(
            Path side, long pages, long databaseChecksum, Duration timeout, BooleanSupplier cancelled)
            throws IOException {
        boolean[] changed = new boolean[1];
        try {
            return restoreInPlace(side, pages, databaseChecksum, timeout, cancelled, changed);
        } catch (IOException e) {
            throw changed[0] ? new CopiedException(e) : e;
        }
    }

    private Optional<Txid> restoreInPlace(
            Path side,
            long pages,
            long databaseChecksum,
            Duration timeout,
            BooleanSupplier cancelled,
            boolean[] changed)
            throws IOException {
        return guarded(() -> {
            increments.capture();
            InPlaceCopy copy = new InPlaceCopy(
                    attachment.session(),
                    () -> Optional.of(attachment.files().wal()),
                    side,
                    pageSize(),
                    pages,
                    databaseChecksum);
            Optional<WalScan> copied = copy.copy(position.get().wal(), timeout, cancelled);
            if (copied.isEmpty()) {
                return Optional.empty();
            }
            changed[0] = true;
            increments.captureUntil(copied.get());
            Txid before = captured();
            increments.capture();
            return Optional.of(before);
        });
    }

    /**
     * Runs a checkpoint round if one is due, and audits what was captured. True if a round ran.
     *
     * @throws LostContinuityException if the audit finds that something was missed
     */
    public boolean checkpoint() throws IOException {
        return guarded(() -> {
            boolean ran = checkpointer.roundIfDue();
            audit.runIfDue(ran);
            return ran;
        });
    }

    /** Captures and runs a checkpoint round, whether or not one is due: somebody has asked for it. */
    public void checkpointNow() throws IOException {
        guarded(() -> {
            increments.capture();
            checkpointer.round(true);
        });
    }

    /** Closes the connections that an idle database does not need. */
    public void rest() throws IOException {
        guarded(() -> {
            if (position.get().atFrozenEnd()) {
                attachment.session().rest();
            }
        });
    }

    /** In nanoseconds, until a checkpoint round may become due without further writes; negative if none will. */
    public long nanosUntilCheckpoint() {
        return checkpointer.nanosUntilDue();
    }

    /**
     * Continues, if it is time, to compute the checksum of the database where neither a clean stop nor an image has left it, and
     * saves what is known for the next start. Returns the time until it is time again, in nanoseconds; negative if nothing is
     * left to do.
     *
     * @throws LostContinuityException if the database is another than what was captured of it before the start
     */
    public long completeChecksum() throws IOException {
        return guarded(continuation::completeChecksum);
    }

    /** Whether {@link #completeChecksum} has pages left to read, to compare them with what was captured. */
    public boolean isChecksumPending() {
        return checksum.isPending();
    }

    /** The checksum of the database at its position; empty if it is not known. */
    public OptionalLong databaseChecksum() {
        return checksum.atPosition();
    }

    /** A last capture and a round, so that the next start can go on without the WAL. */
    public void finish() throws IOException {
        guarded(() -> {
            increments.capture();
            checkpointer.round(true);
            checksum.save(position.get());
        });
    }

    /** Captures no more, but goes on to checkpoint: nobody else does, and the WAL would only grow. */
    public void checkpointOnly() throws IOException {
        guarded(() -> {
            position.forget();
            checksum.forget();
            attachment.session().checkpointWithoutReader();
        });
    }

    /**
     * Lets go of the database. Call when no application connection of this process is left, or SQLite's last close will not
     * be ours. Idempotent.
     */
    @Override
    public void close() throws IOException {
        position.forget();
        checksum.forget();
        attachment.close();
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

    /** After an error of SQLite, or an unexpected one, nothing is known about the read transactions: attach and judge anew. */
    private void guarded(Action action) throws IOException {
        guarded(() -> {
            action.run();
            return true;
        });
    }

    private <T> T guarded(Step<T> step) throws IOException {
        boolean intact = false;
        try {
            T result = step.run();
            intact = true;
            return result;
        } catch (LostContinuityException e) {
            lost(e);
            throw e;
        } catch (CaptureException e) {
            throw e;
        } catch (IOException e) {
            intact = !attachment.isOpen() || attachment.session().isReading();
            throw e;
        } finally {
            if (!intact) {
                position.forget();
                checksum.forget();
                attachment.closeQuietly();
            }
        }
    }

    /**
     * Gives up the position for a reason found outside of the lane; detaches.
     *
     * @throws LostContinuityException the reason, always
     */
    public void giveUp(LostContinuityException reason) throws IOException {
        guarded(() -> {
            throw reason;
        });
    }

    /** What was captured does not lead to the database: a full image follows, after a restart, too. */
    private void lost(LostContinuityException why) {
        try {
            position.breakOff();
        } catch (IOException e) { // the exception itself is reported; an audit finds it again after a restart
            log.warn("cannot record that continuity was lost: db={} reason={}", settings.database(), why.problem(), e);
        }
    }

    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    @FunctionalInterface
    private interface Step<T> {
        T run() throws IOException;
    }
}
