package org.litestream4j.replica.nats;

import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaException;

/** No answer: the connection broke, or nobody served the request. Whether it was carried out is not known. */
final class LostException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    private final boolean unserved;

    LostException(String replica, String problem, boolean unserved, @Nullable Throwable cause) {
        super(replica, problem, "", cause);
        this.unserved = unserved;
    }

    /** The server said that nobody listens there: JetStream is off, or the stream has no leader. */
    boolean unserved() {
        return unserved;
    }
}
