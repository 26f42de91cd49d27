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
import org.litestream4j.internal.files.FileProblem;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Captures the changes of one database, and owns its local state. Call {@link #attach}, then {@link #establishContinuity} to continue
 * the last run, or {@link #image} if that is not possible. Then call {@link #capture} after commits and {@link
 * #checkpoint} when it is due.
 *
 * <p>Confined to the capture lane of the database, whose threads are never interrupted; methods documented as
 * thread-safe may be called by any thread. An {@link IOException} leaves the position unchanged, and the call may be
 * repeated; if {@link #isAttached} is then false, call {@link #attach} first.
 */
public final class Capture implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(Capture.class);
    private static final int ATTEMPTS = 3;

    /** Whether the state captured in an earlier run leads to the current state of the database. */
    public enum Continuity {
        /** It does; everything committed since is captured. */
        PROVEN,
        /** Unknown; an image must follow. */
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
    private final ContinuityCheck continuation;
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
        this.continuation =
                new ContinuityCheck(settings, attachment, position, staging, increments, fullImage, checksum);
        this.checkpointer = new Checkpointer(settings, attachment, position, increments);
        this.audit = new Audit(settings, attachment, position, increments, checksum);
        this.uncaptured = new UncapturedCheckpoints(settings, attachment);
    }

    /** Returns whether this object owns the local state; acquires the ownership if it is free. */
    public boolean acquireLocalState() throws IOException {
        try {
            return owner.tryAcquire();
        } catch (FileSystemException e) {
            throw CaptureException.refusal(
                    settings.database(),
                    "cannot create the local state in " + settings.metaPath() + ": " + FileProblem.of(e),
                    "make the folder writable, or put the local state elsewhere with {metaPath}",
                    e);
        }
    }

    /**
     * Returns whether the local state was deleted or replaced while this object owns it. It can then be neither trusted
     * nor written: call {@link #close} and {@link #releaseLocalState}, and start again.
     */
    public boolean isLocalStateLost() throws IOException {
        return owner.isLost() || (isAttached() && !staging.isThere());
    }

    /**
     * Runs a checkpoint, if one is due, while the position of the database is unknown. The next capture is an image, so
     * frames need not be kept; without checkpoints the WAL would grow until then.
     *
     * @return time until the next call, in nanoseconds
     */
    public long checkpointUncaptured() throws IOException {
        return guarded(uncaptured::runIfDue);
    }

    /** Returns whether a closed engine of this process was busy and has not released the database yet. */
    public boolean isLeftOpen() throws IOException {
        return owner.isLeftOpen();
    }

    /** Records for other engines of this process that this one is closed but still busy. Thread-safe. */
    public void leaveOpen() {
        owner.leaveOpen();
    }

    /** Releases the ownership, so that another process can take over. Call it after {@link #close}. */
    public void releaseLocalState() throws IOException {
        owner.close();
    }

    /**
     * Opens the database and begins the read transaction; from then on no frame is lost.
     *
     * @throws NoSuchFileException if the database does not exist
     * @throws CaptureException if the database cannot be captured; names the problem and the remedy
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

    /** Returns whether the position is known, so that {@link #capture} can continue. */
    public boolean isContinuous() {
        return position.isKnown();
    }

    /** Returns the newest transaction whose level-0 file is complete and durable on the local disk. Thread-safe. */
    public Txid captured() {
        return position.captured();
    }

    /**
     * Returns the file checksum of the level-0 file of a captured transaction, even if the local file was deleted;
     * empty if it is unknown. Thread-safe.
     */
    public OptionalLong fileChecksum(Txid txid) throws IOException {
        return position.fileChecksum(txid);
    }

    /** Returns whether the database has no table, index, view or trigger. */
    public boolean isEmpty() throws IOException {
        return guarded(() -> attachment.session().schemaSize() == 0);
    }

    /** Returns the current pages of the database. */
    public LivePages pages() throws IOException {
        return guarded(() -> LivePages.of(attachment));
    }

    /** Returns the local level-0 files. Thread-safe. */
    public Staging staging() {
        return staging;
    }

    /** Returns the local snapshots, which {@link LiveImage} writes; they stay until they are uploaded. Thread-safe. */
    public Staging snapshots() {
        return snapshots;
    }

    /**
     * Checks whether the recorded position leads to the current state of the database, and captures what was committed
     * since. A reset of the WAL before that would lose commits. If the WAL proves nothing but the page checksums of the
     * position are saved, reads the whole database and captures the pages that differ as the next level-0 file.
     */
    public Continuity establishContinuity() throws IOException {
        return guarded(continuation::establish);
    }

    /**
     * Captures the whole database as one level-0 file.
     *
     * @param after transaction before the image; the image gets the next TXID. An image with TXID 1 is uploaded as a
     *     snapshot, so a level-0 file that contains only page 1 follows it as TXID 2
     * @param discard whether to delete the local files, because they belong to another history
     */
    public void image(Txid after, boolean discard) throws IOException {
        guarded(() -> {
            continuation.image(after, discard);
        });
    }

    /** Returns whether the last image has another page size than the files before it: no merge can contain both. */
    public boolean isPageSizeChanged() {
        return continuation.isPageSizeChanged();
    }

    /**
     * Captures all transactions that are committed now, in one level-0 file, or in several if they exceed the size
     * limit. May leave transactions committed meanwhile to the next call, so that fast writers cannot delay the
     * checkpoints.
     *
     * @return whether anything was captured
     */
    public boolean capture() throws IOException {
        return guarded(increments::capture);
    }

    /** Returns whether {@link #capture} may find something to capture. */
    public boolean hasMore() throws IOException {
        return guarded(increments::hasMore);
    }

    /**
     * Captures all transactions that are committed now, and opens an image of this state, from which another thread can
     * write a snapshot.
     *
     * @return an image that the caller must close, even after this object is closed
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

    /**
     * Captures all transactions for an image. Call it after the reader of the image began: the reader then keeps the
     * WAL from being reset, or sees the database file only.
     */
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

    /** Returns the page size of the database in bytes. */
    public int pageSize() {
        return position.get().pageSize();
    }

    /**
     * Replaces the content of the database with that of a side file, in one write transaction.
     *
     * @param side database of the same page size that no connection has open
     * @param pages number of pages of the side file
     * @param databaseChecksum database checksum of the side file
     * @param timeout maximum wait for other writers
     * @param cancelled polled between the attempts
     * @return the last captured transaction before the replacement; empty if other writers left no opportunity and the
     *     database is unchanged
     * @throws CopiedException if the database was changed, but the change is not captured
     * @throws IOException also if the side file does not have these pages or this checksum; the database is unchanged
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
     * Runs a checkpoint round if one is due, and audits the captured state. Returns whether a round ran.
     *
     * @throws LostContinuityException if the audit finds that frames were missed
     */
    public boolean checkpoint() throws IOException {
        return guarded(() -> {
            boolean ran = checkpointer.roundIfDue();
            audit.runIfDue(ran);
            return ran;
        });
    }

    /** Captures all committed transactions and runs a checkpoint round, even if none is due. */
    public void checkpointNow() throws IOException {
        guarded(() -> {
            increments.capture();
            checkpointer.round(true);
        });
    }

    /** Closes the connections that are not needed while the database is idle. */
    public void closeIdleConnections() throws IOException {
        guarded(() -> {
            if (position.get().atFrozenEnd()) {
                attachment.session().closeIdleConnections();
            }
        });
    }

    /**
     * Returns the time in nanoseconds until a checkpoint round may be due without further writes; negative if none will
     * be.
     */
    public long nanosUntilCheckpoint() {
        return checkpointer.nanosUntilDue();
    }

    /**
     * Continues to compute the database checksum, if that is due, where neither a clean stop nor an image has left one,
     * and saves the page checksums for the next start. Returns the time until the next call is due, in nanoseconds;
     * negative if nothing remains to be done.
     *
     * @throws LostContinuityException if the database differs from the state captured before the start
     */
    public long completeChecksum() throws IOException {
        return guarded(continuation::completeChecksum);
    }

    /** Returns whether {@link #completeChecksum} must still read pages, to compare them with the captured state. */
    public boolean isChecksumPending() {
        return checksum.isPending();
    }

    /** Returns the checksum of the database at its position; empty if it is unknown. */
    public OptionalLong databaseChecksum() {
        return checksum.atPosition();
    }

    /** Captures all committed transactions and runs a checkpoint round, so that the next start needs no WAL. */
    public void finish() throws IOException {
        guarded(() -> {
            increments.capture();
            checkpointer.round(true);
            checksum.save(position.get());
        });
    }

    /** Runs a checkpoint without capturing any more; otherwise the WAL would only grow. */
    public void checkpointOnly() throws IOException {
        guarded(() -> {
            position.forget();
            checksum.forget();
            attachment.session().checkpointWithoutReader();
        });
    }

    /**
     * Detaches from the database. Call it when the application has no open connections in this process; otherwise
     * another connection performs SQLite's last close.
     */
    @Override
    public void close() throws IOException {
        position.forget();
        checksum.forget();
        attachment.close();
    }

    /**
     * Makes running writes of level-0 files fail at the next page with an {@link IOException}, and later ones at their
     * start. Thread-safe.
     */
    public void stop() {
        writer.stop();
    }

    /**
     * Closes descriptors of databases that this process no longer uses. Call it after {@link #close}, once for many
     * databases. A descriptor stays open unless it is certain to be the last one of its file, because closing it drops
     * SQLite's locks on the file.
     */
    public static void closeUnusedFiles() throws IOException {
        DatabaseFile.closeUnused();
    }

    private void guarded(Action action) throws IOException {
        guarded(() -> {
            action.run();
            return true;
        });
    }

    /**
     * Runs a step. After an SQLite error or an unexpected error, detaches: the state of the read transactions is
     * unknown, so {@link #attach} and {@link #establishContinuity} must follow.
     */
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
     * Discards the position for a reason found outside of the capture lane, and detaches.
     *
     * @throws LostContinuityException always; the given reason
     */
    public void giveUp(LostContinuityException reason) throws IOException {
        guarded(() -> {
            throw reason;
        });
    }

    /** Records that the captured state does not lead to the database: a full image follows, even after a restart. */
    private void lost(LostContinuityException why) {
        try {
            position.recordLostContinuity();
        } catch (IOException e) { // the reason itself is reported; after a restart, an audit finds it again
            log.warn(
                    "cannot record that continuity was lost: path={} reason={}", settings.database(), why.problem(), e);
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
