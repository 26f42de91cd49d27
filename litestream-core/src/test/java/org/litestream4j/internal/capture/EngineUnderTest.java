package org.litestream4j.internal.capture;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;

/**
 * Drives {@link Capture} as the capture lane does, one step at a time, so that others can come in between. All that the
 * explorer knows of {@link Capture} is here.
 */
public final class EngineUnderTest {

    /** Small, so that the rounds with the write lock are reached. */
    private static final int WAL_LIMIT_PAGES = 12;

    private final CaptureSettings settings;
    private final Clock clock;
    private @Nullable Capture capture;
    private @Nullable LiveImage image;
    private boolean unproven;
    private long nanos;

    /**
     * @param clock of the level-0 files
     * @param checksums whether the checksums of pages are known, so that a database can be compared with what was captured
     */
    public EngineUnderTest(Path database, Path metaPath, Clock clock, boolean checksums) {
        this.settings = new CaptureSettings(
                database,
                metaPath,
                Duration.ZERO,
                Duration.ZERO, // a round is always due
                Integer.MAX_VALUE,
                WAL_LIMIT_PAGES,
                checksums ? 1 << 20 : 1, // else each transaction is a level-0 file of its own
                PageEncoding.BLOCK,
                checksums);
        this.clock = clock;
    }

    /** From here on time passes only where a step says so, until {@link #viewNothing}. */
    public void holdTime() {
        RollingChecksum.nanoTime = () -> nanos;
        UncapturedCheckpoints.nanoTime = () -> nanos;
    }

    /** Whether the checksum of each page is known, so that another content can be noticed. */
    public boolean knowsChecksums() {
        return isContinuous() && running().databaseChecksum().isPresent();
    }

    /** Whether there is an engine, attached or not. */
    public boolean isRunning() {
        return capture != null;
    }

    public boolean isAttached() {
        return capture != null && capture.isAttached();
    }

    public boolean isContinuous() {
        return capture != null && capture.isAttached() && capture.isContinuous();
    }

    /** Whether it was judged that an image must follow. */
    public boolean isUnproven() {
        return isAttached() && unproven;
    }

    public boolean hasImage() {
        return image != null;
    }

    /** Starts, resumes, or takes the database up again after an error. */
    public void attach() throws IOException {
        if (capture == null) {
            capture = new Capture(settings, clock, CaptureListener.NONE);
        }
        if (!capture.acquireLocalState()) {
            throw new IOException("another engine owns " + settings.metaPath());
        }
        capture.attach();
        unproven = false;
    }

    public void establishContinuity() throws IOException {
        unproven = running().establishContinuity() == Capture.Continuity.UNPROVEN;
    }

    /**
     * Takes the image that must follow where continuity is not proven.
     *
     * @param replicated newest transaction of the replica
     */
    public void image(Txid replicated) throws IOException {
        boolean diverged = replicated.isAfter(running().captured());
        running().image(Txid.max(running().captured(), replicated), diverged);
        unproven = false;
    }

    /** When it returns, everything that was committed before counts as captured. */
    public void capture() throws IOException {
        running().capture();
    }

    /** If false, everything that was committed before counts as captured. */
    public boolean hasMore() throws IOException {
        return running().hasMore();
    }

    /**
     * A checkpoint, and what comes after each.
     *
     * @param later whether everything that is only done from time to time is due
     */
    public void checkpoint(boolean later) throws IOException {
        nanos += later ? Duration.ofHours(1).toNanos() : 0;
        running().checkpoint();
        running().completeChecksum();
        if (later) {
            running().closeIdleConnections();
        }
    }

    public void checkpointNow() throws IOException {
        running().checkpointNow();
    }

    /** Instead of {@link #checkpoint} where an image must follow. */
    public void checkpointUncaptured() throws IOException {
        nanos += Duration.ofHours(1).toNanos();
        running().checkpointUncaptured();
    }

    /** As {@link #capture}, with a state of the database held still for {@link #writeImage}. */
    public void openImage() throws IOException {
        while (running().isChecksumPending()) {
            nanos += Duration.ofSeconds(1).toNanos();
            running().completeChecksum();
        }
        image = running().openImage();
    }

    /**
     * Writes the snapshot and ends its read transaction.
     *
     * @return the file; null if it is known to be wrong
     */
    public @Nullable Path writeImage() throws IOException {
        LiveImage writing = image;
        image = null;
        if (writing == null || capture == null) {
            throw new IllegalStateException("no image");
        }
        try (writing) {
            return writing.write(() -> false) ? capture.snapshots().path(writing.name()) : null;
        } catch (LostContinuityException e) {
            capture.giveUp(e);
            throw e;
        }
    }

    /** The newest transaction of a snapshot. */
    public static Txid newestOf(Path snapshot) {
        return LtxFileName.parse(snapshot.getFileName().toString())
                .orElseThrow()
                .max();
    }

    public void closeImage() throws IOException {
        LiveImage closing = image;
        image = null;
        if (closing != null) {
            closing.close();
        }
    }

    /** The last capture of a pause or stop. True if everything that was committed before counts as captured. */
    public boolean finish() throws IOException {
        if (!isContinuous()) {
            return false;
        }
        running().finish();
        return true;
    }

    /** Lets go of the database; {@link #attach} takes it up again. */
    public void pause() throws IOException {
        running().close();
    }

    /** Ends; {@link #attach} starts anew with what is on the disk. Without {@link #finish} this is all that a kill leaves. */
    public void end() throws IOException {
        Capture ending = capture;
        capture = null;
        if (ending != null) {
            ending.close();
            ending.releaseLocalState();
            Capture.closeUnusedFiles();
        }
    }

    /** The level-0 files that may be uploaded, oldest first. */
    public List<Path> filesAfter(Txid replicated) throws IOException {
        List<Path> files = new ArrayList<>();
        if (capture != null && capture.captured().isAfter(replicated)) {
            for (LtxFileName name : capture.staging().list()) {
                if (name.min().isAfter(replicated) && !name.max().isAfter(capture.captured())) {
                    files.add(capture.staging().path(name));
                }
            }
        }
        return files;
    }

    private Capture running() {
        if (capture == null) {
            throw new IllegalStateException("no engine");
        }
        return capture;
    }

    /** Times of files as an {@link EngineUnderTest} sees them: maps path, and what the file system says, to what counts. */
    public static void viewTimes(BiFunction<Path, long[], long[]> view) {
        Fingerprint.view = (path, actual) -> {
            long[] seen = view.apply(path, new long[] {actual.modified(), actual.changed()});
            return new Fingerprint(actual.inode(), actual.size(), seen[0], seen[1]);
        };
    }

    /** What becomes of each connection of an {@link EngineUnderTest} that is opened. */
    public static void viewConnections(UnaryOperator<Connection> view) {
        OwnConnections.view = view;
    }

    /** Which pages an audit samples. */
    public static void sample(LongUnaryOperator random) {
        Audit.random = random;
    }

    /** All is as it is in production. */
    public static void viewNothing() {
        Fingerprint.view = (path, actual) -> actual;
        OwnConnections.view = connection -> connection;
        Audit.random = bound -> ThreadLocalRandom.current().nextLong(bound);
        RollingChecksum.nanoTime = System::nanoTime;
        UncapturedCheckpoints.nanoTime = System::nanoTime;
    }

    /** What decides how it goes on, without what differs from run to run: for finding out whether two states are alike. */
    public String state(@Nullable WalHeader wal) throws IOException {
        String record = new PositionStore(settings.metaPath())
                .load()
                .map(found -> describe(found, wal))
                .orElse("none");
        return (isAttached() ? "a" : isRunning() ? "r" : "-") + (isContinuous() ? "c" : "-")
                + (isUnproven() ? "u" : "-") + (hasImage() ? "i" : "-") + " " + record + memory();
    }

    /** What decides how it goes on, and is not on the disk. */
    private String memory() {
        if (capture == null) {
            return "";
        }
        Object position = field(capture, "position");
        Object present = field(position, "present");
        Object increments = field(capture, "increments");
        Object checkpointer = field(capture, "checkpointer");
        Object checksum = field(capture, "checksum");
        Object pages = field(checksum, "pages");
        Object store = field(position, "recorded");
        StringBuilder text = new StringBuilder();
        text.append(field(increments, "covered")).append(field(increments, "restarted"));
        text.append(present != null && present.equals(field(checkpointer, "lastComplete")));
        text.append(field(checkpointer, "blocked"));
        text.append(present != null && present.equals(field(field(capture, "audit"), "audited")));
        text.append(store != null).append(field(field(capture, "attachment"), "overwritten"));
        text.append(field(checksum, "open")).append(field(checksum, "off"));
        text.append(pages instanceof PageChecksums known ? known.isComplete() : "none");
        text.append(present instanceof PositionRecord at && at.txid().equals(field(checksum, "saved")));
        return text.toString();
    }

    private static @Nullable Object field(@Nullable Object owner, String name) {
        if (owner == null) {
            return null;
        }
        try {
            Field field = owner.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return field.get(owner);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(name + " of " + owner.getClass(), e);
        }
    }

    private String describe(Record record, @Nullable WalHeader wal) {
        StringBuilder text = new StringBuilder();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            Object value;
            try {
                component.getAccessor().setAccessible(true);
                value = component.getAccessor().invoke(record);
                if (value instanceof WalPosition position) {
                    value = (wal == null ? "?" : wal.sameSalts(position) ? "=" : "#") + position.offset();
                } else if (value instanceof Fingerprint fingerprint) {
                    Fingerprint now = Fingerprint.of(settings.database());
                    value = fingerprint.equals(now) ? "=" : fingerprint.sameContent(now) ? "~" : "#";
                } else if (value instanceof Txid || component.getName().contains("hecksum")) {
                    continue;
                } else if (value instanceof Record nested) {
                    value = describe(nested, wal);
                }
            } catch (ReflectiveOperationException | IOException e) {
                value = e.getClass().getSimpleName();
            }
            text.append(component.getName(), 0, 1).append(value).append(' ');
        }
        return text.toString();
    }
}
