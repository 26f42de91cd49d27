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
 * How far one database is captured: the record that the last run left, and from when that is proven to lead on, or an image was
 * taken, the present one, always saved before it counts. Confined to the capture lane, but for {@link #captured} and {@link
 * #fileChecksum}.
 */
final class Position {

    private final Path database;
    private final Staging staging;
    private final Attachment attachment;
    private final PositionStore store;

    private @Nullable PositionRecord present;
    private @Nullable PositionRecord recorded;

    /** What other threads see: the newest record that was saved. */
    private volatile @Nullable PositionRecord published;

    /** Where this run began: after a restore, its level-0 file is on the replica alone. */
    private volatile @Nullable PositionRecord first;

    /**
     * Nothing is read yet.
     *
     * @param staging the level-0 files
     * @param attachment told when the database file must stay as it is
     */
    Position(CaptureSettings settings, Staging staging, Attachment attachment) {
        this.database = settings.database();
        this.staging = staging;
        this.attachment = attachment;
        this.store = new PositionStore(settings.metaPath());
    }

    /** Reads what an earlier run left; local files after it were never visible, and go. */
    void load() throws IOException {
        present = null;
        recorded = store.load().orElse(null);
        if (recorded != null || published == null) { // a record lost on the way does not make TXIDs new again
            published = recorded;
        }
        if (first == null) {
            first = recorded;
        }
        staging.deleteAfter(captured());
    }

    /** Of an earlier run, as it was loaded; null if there is none. */
    @Nullable
    PositionRecord recorded() {
        return recorded;
    }

    /** When the newest record was saved; {@link Fingerprint#NONE} if there is none. */
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

    /** The present one, or while it is not known the recorded one; null if there is neither. */
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

    /** Whether the present record leads to the database is not known any more. */
    void forget() {
        recorded = newest();
        present = null;
    }

    /** Increments never follow the newest record, not after a restart either: only an image does. */
    void breakOff() throws IOException {
        PositionRecord last = newest();
        if (last != null) {
            moveTo(last.broken());
            forget();
        }
    }

    /** The records and local files belong to another history, and go. */
    void discard() throws IOException {
        store.delete();
        recorded = null;
        present = null;
        published = null;
        first = null;
        staging.deleteAfter(Txid.NONE);
    }

    /** Newest transaction whose level-0 file is whole and durable here. Any thread. */
    Txid captured() {
        PositionRecord record = published;
        return record != null ? record.txid() : Txid.NONE;
    }

    /** As {@link Capture#fileChecksum}. Any thread. */
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
