package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.error.RemedyException;

/** Thrown if a restore is not possible. Nothing was changed at the target, unless the message says otherwise. */
public final class RestoreException extends RemedyException {

    private static final long serialVersionUID = 1L;

    /** Reasons for the failure of a restore. */
    public enum Reason {
        /** The replica contains no files. */
        NO_BACKUP,
        /** The replica contains only a backup of Litestream 0.3, which is not supported. */
        OTHER_FORMAT,
        /** The TXID is outside the retained range, or was merged into a larger file. */
        TXID_NOT_AVAILABLE,
        /** The time is before the oldest restorable state or in the future. */
        TIME_NOT_AVAILABLE,
        /** There is no mark of this name. */
        NO_SUCH_MARK,
        /** A mark of this name exists already. */
        MARK_EXISTS,
        /** Transactions within the range are missing. */
        GAP,
        /** A file differs from the file that was written, or pages are missing. */
        DAMAGED,
        /** Each file is valid, but together they do not yield the database that was captured. */
        CHECKSUM,
        /** Listed files repeatedly could not be read, or all files were deleted. */
        VANISHED,
        /** A file exists at the target, and {@code force} was not set. */
        TARGET_EXISTS,
        /** A {@code -wal}, {@code -shm} or {@code -journal} file beside the target belongs to another database. */
        LEFTOVERS,
        /** The disk does not have enough free space. */
        NO_SPACE,
        /** SQLite's integrity check of the restored file failed. */
        INTEGRITY,
        CANCELLED
    }

    private final Reason reason;

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
        super(replica, problem, remedy, cause);
        this.reason = requireNonNull(reason, "reason");
        this.range = range;
    }

    public Reason reason() {
        return reason;
    }

    /** Returns the address of the replica, without secrets. */
    public String replica() {
        return subject();
    }

    /** Returns the range that the replica could restore instead; empty if it was not determined. */
    public Optional<RestorableRange> range() {
        return Optional.ofNullable(range);
    }
}
