package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/**
 * Thrown if the store denies access permanently: the error persists until the operator changes a setting, a permission
 * or the store.
 */
public final class ReplicaAccessException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaAccessException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
    }
}
