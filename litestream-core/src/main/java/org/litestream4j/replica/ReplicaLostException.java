package org.litestream4j.replica;

/** What this process wrote is not on the replica any more: it was emptied, replaced or unmounted. */
public final class ReplicaLostException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    public ReplicaLostException(String replica, String problem, String remedy) {
        super(replica, problem, remedy, null);
    }
}
