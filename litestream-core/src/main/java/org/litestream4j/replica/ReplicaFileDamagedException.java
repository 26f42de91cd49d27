package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/** Thrown if the content of a file does not match what the store recorded about it. Reading it again does not help. */
public final class ReplicaFileDamagedException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaFileDamagedException(String replica, String problem, String remedy, @Nullable Throwable cause) {
        super(replica, problem, remedy, cause);
    }
}
