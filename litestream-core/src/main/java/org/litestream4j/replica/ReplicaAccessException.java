package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/** The store refuses, and will go on refusing until somebody changes a setting, a right or the store itself. */
public final class ReplicaAccessException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaAccessException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
    }
}
