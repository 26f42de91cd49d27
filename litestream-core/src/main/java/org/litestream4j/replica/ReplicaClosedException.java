package org.litestream4j.replica;

/** Thrown by a replica client, and by its streams and uploads, after the client was closed. */
public final class ReplicaClosedException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaClosedException(String replica) {
        super(replica, "the client of this replica was closed", "", null);
    }
}
