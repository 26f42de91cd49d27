package org.litestream4j.replica;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;

/** Thrown if some files could not be deleted. All other files of the call were deleted. */
public final class ReplicaDeleteException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    private final transient List<LtxFileName> remaining;

    public ReplicaDeleteException(
            String replica, List<LtxFileName> remaining, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
        this.remaining = List.copyOf(remaining);
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
