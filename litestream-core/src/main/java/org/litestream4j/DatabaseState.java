package org.litestream4j;

/** State of a managed database. */
public enum DatabaseState {
    /** The database file does not exist yet. Replication starts with the first connection. */
    WAITING,
    /** Commits are captured and uploaded. Transient errors show as the last error and as lag. */
    REPLICATING,
    /** Paused by the application: nothing is captured, and the database file is not held open. */
    PAUSED,
    /** Another process replicates this database. This process takes over when the other one ends. */
    PASSIVE,
    /**
     * A local file that is not on the replica yet is missing or damaged, and {@code auto-recover} is off. Commits are
     * captured, but nothing is uploaded until the operator acts.
     */
    NEEDS_RECOVERY,
    /**
     * Another program writes to the replica, or the replica seems to hold another database. Replication has stopped, so
     * that the other data stays intact.
     */
    CONFLICT,
    /** Closed or unregistered. */
    STOPPED
}
