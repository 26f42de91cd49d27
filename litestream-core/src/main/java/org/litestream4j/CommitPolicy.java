package org.litestream4j;

/**
 * Decides, for each commit through a wrapped {@code DataSource}, whether the commit must be replicated and which thread
 * waits for the replication. Methods are called on the committing thread. Implementations must be thread-safe.
 */
public interface CommitPolicy {

    /** Returns whether the next commit of this thread must be replicated. Called before the commit. */
    boolean isReplicated(ManagedDatabase database);

    /**
     * Called after a commit that changed the database has returned from SQLite. An exception thrown here reaches the
     * caller of the commit, but does not undo the commit. The connection no longer holds the write lock.
     *
     * @param autoCommit true if the statement was its own transaction; false within
     *     {@link java.sql.Connection#commit}
     */
    void committed(ManagedDatabase database, boolean autoCommit);
}
