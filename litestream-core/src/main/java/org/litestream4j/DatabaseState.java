package org.litestream4j;

/** What a managed database is doing. */
public enum DatabaseState {
    /** There is no database file yet: replication begins with the first connection. */
    WAITING,
    /** Commits are captured and go to the replica; errors that may pass show as the last error and as lag. */
    REPLICATING,
    /** Paused by the application: nothing is captured, and the database is not held open. */
    PAUSED,
    /** Another process replicates this database; it is taken over once that one ends. */
    PASSIVE,
    /**
     * A local file that is not on the replica yet is missing or damaged, and {@code auto-recover} is off: commits are captured, but
     * nothing is uploaded until somebody decides.
     */
    NEEDS_RECOVERY,
    /**
     * Someone else writes to the replica, or it seems to hold another database: stopped, so that nothing of theirs is disturbed.
     */
    CONFLICT,
    /** Closed or unregistered. */
    STOPPED
}
