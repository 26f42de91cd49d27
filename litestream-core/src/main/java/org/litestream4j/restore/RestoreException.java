package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A restore that could not be done. Nothing was changed at the target, except as the message says. */
public final class RestoreException extends IOException {

    private static final long serialVersionUID = 1L;

    /** Why. */
    public enum Reason {
        /** The replica holds no file at all. */
        NO_BACKUP,
        /** The replica holds only a backup of Litestream 0.3, which cannot be read. */
        OTHER_FORMAT,
        /** The TXID is outside of what is kept, or was merged into a larger file. */
        TXID_NOT_AVAILABLE,
        /** The moment is before the oldest restorable state or in the future. */
        TIME_NOT_AVAILABLE,
        /** Transactions are missing in the middle. */
        GAP,
        /** A file is not what was written once, or pages are missing. */
        DAMAGED,
        /** Each file is whole, but together they do not make the database that was captured. */
        CHECKSUM,
        /** Files that were listed cannot be read, again and again; or all that there were are gone. */
        VANISHED,
        /** There is something at the target, and force was not asked for. */
        TARGET_EXISTS,
        /** A {@code -wal}, {@code -shm} or {@code -journal} beside the target belongs to another database. */
        LEFTOVERS,
        /** The disk has not enough room. */
        NO_SPACE,
        /** SQLite's check of the restored file found something. */
        INTEGRITY,
        CANCELLED
    }

    private final Reason reason;

    private final String replica;

    private final String remedy;

    private final transient @Nullable RestorableRange range;

    RestoreException(Reason reason, String replica, String problem, String remedy, @Nullable Throwable cause) {
        this(reason, replica, problem, remedy, null, cause);
    }

    RestoreException(
            Reason reason,
            String replica,
            String problem,
            String remedy,
            @Nullable RestorableRange range,
            @Nullable Throwable cause) {
        super(replica + ": " + problem + (remedy.isEmpty() ? "" : "; " + remedy), cause);
        this.reason = requireNonNull(reason, "reason");
        this.replica = replica;
        this.remedy = remedy;
        this.range = range;
    }

    public Reason reason() {
        return reason;
    }

    /** The replica's address without secrets. */
    public String replica() {
        return replica;
    }

    /** What the reader can do about it; may be empty. */
    public String remedy() {
        return remedy;
    }

    /** What the replica could restore instead, where that was asked. */
    public Optional<RestorableRange> range() {
        return Optional.ofNullable(range);
    }
}
