package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/** Thrown if a listed or planned file does not exist or no longer exists. Retention may have deleted it. */
public final class ReplicaFileNotFoundException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaFileNotFoundException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
    }
}
