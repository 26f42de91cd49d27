package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/**
 * Thrown if a file of that name exists with other content, because another program writes to this replica. Nothing was
 * overwritten.
 */
public final class ReplicaConflictException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaConflictException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
    }
}
