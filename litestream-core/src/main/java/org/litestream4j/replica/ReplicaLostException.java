package org.litestream4j.replica;

/**
 * Thrown if files written by this process are no longer on the replica as they were written: it was emptied, replaced or
 * unmounted, or a file was cut short.
 */
public final class ReplicaLostException extends ReplicaException {

    private static final long serialVersionUID = 1L;

    private final boolean damage;

    public ReplicaLostException(String replica, String problem, String remedy) {
        this(replica, problem, remedy, false);
    }

    /** @param damage whether a file exists, but its content is damaged: a listing does not show that it is lost */
    public ReplicaLostException(String replica, String problem, String remedy, boolean damage) {
        super(replica, problem, remedy, null);
        this.damage = damage;
    }

    /** Returns whether a file exists, but its content is damaged: a listing does not show that it is lost. */
    public boolean isDamage() {
        return damage;
    }
}
