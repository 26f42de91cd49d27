package org.litestream4j.replica.nats;

import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaException;

/**
 * Thrown if a request gets no response, because the connection broke or no server handles the request. Whether the
 * request was executed is unknown.
 */
final class LostException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    private final boolean unserved;

    LostException(String replica, String problem, boolean unserved, @Nullable Throwable cause) {
        super(replica, problem, "", cause);
        this.unserved = unserved;
    }

    /** Returns whether the server reported that the subject has no subscriber: JetStream is off, or the stream has no leader. */
    boolean unserved() {
        return unserved;
    }
}
