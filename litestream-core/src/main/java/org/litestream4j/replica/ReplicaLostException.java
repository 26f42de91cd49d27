package org.litestream4j.replica;

/** Thrown if files written by this process are no longer on the replica: it was emptied, replaced or unmounted. */
public final class ReplicaLostException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaLostException(String replica, String problem, String remedy) {
        super(replica, problem, remedy, null);
    }
}
