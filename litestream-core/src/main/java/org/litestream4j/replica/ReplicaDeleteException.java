package org.litestream4j.replica;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;

/** Some files could not be deleted; all others of the call were. */
public final class ReplicaDeleteException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    private final transient List<LtxFileName> remaining;

    public ReplicaDeleteException(
            String replica, List<LtxFileName> remaining, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
        this.remaining = List.copyOf(remaining);
    }

    /** Whether the store will go on refusing until somebody changes something, which the remedy says; else it may pass. */
    public boolean isRefusal() {
        return !remedy().isEmpty();
    }

    /** The files that are still there. */
    public List<LtxFileName> remaining() {
        return remaining;
    }
}
