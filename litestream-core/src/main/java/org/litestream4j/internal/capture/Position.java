package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.Txid;

/**
 * The position up to which a database is captured. Loads the record of the last run; the position is known after a
 * proof of continuity or an image. Each new record is saved before it takes effect. Confined to the capture lane,
 * except for {@link #captured} and {@link #fileChecksum}.
 */
final class Position {

    private final Path database;
    private final Staging staging;
    private final Attachment attachment;
    private final PositionStore store;

    private @Nullable PositionRecord present;
    private @Nullable PositionRecord recorded;

    /** Newest saved record, for other threads. */
    private volatile @Nullable PositionRecord published;

    /** Record with which this run began; after a restore, its level-0 file exists only on the replica. */
    private volatile @Nullable PositionRecord first;

    /**
     * Creates an unknown position; reads no file.
     *
     * @param staging local level-0 files
     * @param attachment receives the state that the database file must keep while it is frozen
     */
    Position(CaptureSettings settings, Staging staging, Attachment attachment) {
        this.database = settings.database();
        this.staging = staging;
        this.attachment = attachment;
        this.store = new PositionStore(settings.metaPath());
    }

    /** Loads the record of the last run, and deletes local files after it, which were never visible. */
    void load() throws IOException {
        present = null;
        recorded = store.load().orElse(null);
        if (recorded != null || published == null) { // TXIDs are not reused, even if the record is lost
            published = recorded;
        }
        if (first == null) {
            first = recorded;
        }
        staging.deleteAfter(captured());
    }

    /** Returns the record as it was loaded; null if there is none. */
    @Nullable
    PositionRecord recorded() {
        return recorded;
    }

    /** Returns the fingerprint of the file with the newest record; {@link Fingerprint#NONE} if there is none. */
    Fingerprint saved() throws IOException {
        return store.saved();
    }

    boolean isKnown() {
        return present != null;
    }

    PositionRecord get() {
        if (present == null) {
            throw new IllegalStateException("no position yet: " + database);
        }
        return present;
    }

    /** Returns the position; the loaded record if the position is unknown, null if there is none. */
    @Nullable
    PositionRecord newest() {
        return present != null ? present : recorded;
    }

    void moveTo(PositionRecord next) throws IOException {
        store.save(next);
        present = next;
        published = next;
        if (attachment.isOpen()) {
            attachment.files().frozen(next.frozen() ? next.file() : null);
        }
    }

    /** Makes the position unknown: whether its record leads to the database must be proven again. */
    void forget() {
        recorded = newest();
        present = null;
    }

    /** Records that no increment may follow the newest record, even after a restart; an image must follow. */
    void recordLostContinuity() throws IOException {
        PositionRecord last = newest();
        if (last != null) {
            moveTo(last.broken());
            forget();
        }
    }

    /** Deletes the record and the local files, which belong to another history. */
    void discard() throws IOException {
        store.delete();
        recorded = null;
        present = null;
        published = null;
        first = null;
        staging.deleteAfter(Txid.NONE);
    }

    /** Returns the newest transaction whose level-0 file is complete and durable on the local disk. Thread-safe. */
    Txid captured() {
        PositionRecord record = published;
        return record != null ? record.txid() : Txid.NONE;
    }

    /** See {@link Capture#fileChecksum}. Thread-safe. */
    OptionalLong fileChecksum(Txid txid) throws IOException {
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
}
