package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/** A file that a listing or a plan named is not there (any more): retention may have deleted it. */
public final class ReplicaFileNotFoundException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaFileNotFoundException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
    }
}
