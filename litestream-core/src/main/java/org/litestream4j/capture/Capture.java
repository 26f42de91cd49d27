package org.litestream4j.capture;

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
import org.litestream4j.ltx.Txid;
import org.litestream4j.wal.WalFile;
import org.litestream4j.wal.WalHeader;
import org.litestream4j.wal.WalPosition;
import org.litestream4j.wal.WalScan;
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
        /** Nothing was missed: capturing goes on. */
        PROVEN,
        /** It cannot be proved: an image must follow. */
        UNPROVEN,
        /** The write lock, which the judgement needs, was not to be had. */
        UNDECIDED
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
    private final FullImage fullImage;
    private final Checkpointer checkpointer;
    private final UncapturedCheckpoints uncaptured;
    private boolean pageSizeChanged;

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
        this.fullImage = new FullImage(settings, attachment, writer);
        this.checkpointer = new Checkpointer(settings, attachment, position, increments);
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
            PositionRecord recorded = position.recorded();
            if (recorded == null) {
                attachment.session().rest();
                return Continuity.UNPROVEN;
            }
            ContinuityProof proof = new ContinuityProof(settings, attachment, recorded, position.saved());
            PositionRecord[] proven = new PositionRecord[1];
            if (!attachment.session().underWriteLock(() -> proven[0] = proof.find())) {
                return Continuity.UNDECIDED;
            }
            attachment.session().rest();
            if (proven[0] == null) {
                proof.logMissing();
                return Continuity.UNPROVEN;
            }
            position.moveTo(proven[0]);
            if (increments
                    .hasMore()) { // committed before our reader began: it holds a checkpoint back only at its mark
                attachment.files().frozen(null);
            }
            checksum.resume(proven[0]);
            return Continuity.PROVEN;
        });
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
            PositionRecord before = position.newest();
            pageSizeChanged =
                    before != null && before.pageSize() != attachment.session().pageSize();
            if (discard) {
                position.discard();
            }
            Txid txid = after.next();
            PositionRecord taken = fullImage.write(txid);
            position.moveTo(taken);
            checksum.captured();
            log.info("database captured whole: db={} txid={} pages={}", settings.database(), txid, taken.commit());
            return null;
        });
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
            if ((now.atFrozenEnd() || now.wal().equals(WalPosition.NONE)) && !increments.hasMore()) {
                return new LiveImage.State(now, null, checksum.atPosition());
            }
            Optional<WalFile> present = attachment.files().wal();
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
        return position.get().pageSize();
    }

    /**
     * Brings the database to the content of a side file, in one write transaction.
     *
     * @param side a database of the same page size that nobody has open
     * @param timeout longest wait for other writers
     * @param cancelled asked about each second of that
     * @return the last transaction before it, captured as one of its own; empty if other writers left no room, and nothing
     *     was changed
     * @throws CopiedException if it was changed, but not captured
     */
    public Optional<Txid> restoreInPlace(Path side, Duration timeout, BooleanSupplier cancelled) throws IOException {
        boolean[] changed = new boolean[1];
        try {
            return restoreInPlace(side, timeout, cancelled, changed);
        } catch (IOException e) {
            throw changed[0] ? new CopiedException(e) : e;
        }
    }

    private Optional<Txid> restoreInPlace(Path side, Duration timeout, BooleanSupplier cancelled, boolean[] changed)
            throws IOException {
        return guarded(() -> {
            increments.capture();
            Optional<WalScan> copied = new InPlaceCopy(attachment.session(), attachment.files()::wal, side, pageSize())
                    .copy(position.get().wal(), timeout, cancelled);
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
                    checksum.fill(attachment.files().database());
                } else {
                    increments.capture(); // to the mark of our reader at least
                    checksum.begin(position.get(), attachment.files().wal().orElse(null));
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
            increments.capture();
            checkpointer.round(true);
            checksum.save(position.get());
            return null;
        });
    }

    /** Captures no more, but goes on to checkpoint: nobody else does, and the WAL would only grow. */
    public void checkpointOnly() throws IOException {
        guarded(() -> {
            position.forget();
            checksum.forget();
            attachment.session().checkpointWithoutReader();
            return null;
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

    /** After an error of SQLite nothing is known about the read transactions: begin anew, and judge anew. */
    private <T> T guarded(Step<T> step) throws IOException {
        try {
            return step.run();
        } catch (CaptureException e) {
            position.forget();
            checksum.forget();
            attachment.closeQuietly();
            throw e;
        }
    }

    @FunctionalInterface
    private interface Step<T> {
        T run() throws IOException;
    }
}
