package org.litestream4j.replica;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;

/** Thrown if some files could not be deleted. All other files of the call were deleted. */
public final class ReplicaDeleteException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    private final transient List<LtxFileName> remaining;
    private final @Nullable Instant lockedUntil;

    public ReplicaDeleteException(
            String replica, List<LtxFileName> remaining, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
        this.remaining = List.copyOf(remaining);
        this.lockedUntil = null;
    }

    /**
     * Creates an exception for files that remain only because the store locks them.
     *
     * @param lockedUntil time at which the first of them can be deleted
     */
    public ReplicaDeleteException(String replica, List<LtxFileName> remaining, Instant lockedUntil) {
        super(replica, remaining.size() + " files are locked, the first until " + lockedUntil, "", null);
        this.remaining = List.copyOf(remaining);
        this.lockedUntil = lockedUntil;
    }

    /**
     * Returns the time at which the first of the remaining files can be deleted, if these files remain only because the
     * store locks them as configured; otherwise null.
     */
    public @Nullable Instant lockedUntil() {
        return lockedUntil;
    }

    /** Returns whether the store refuses until the operator acts as the remedy says; if false, the error may be transient. */
    public boolean isRefusal() {
        return !remedy().isEmpty();
    }

    /** Returns the files that still exist. */
    public List<LtxFileName> remaining() {
        return remaining;
    }
}
