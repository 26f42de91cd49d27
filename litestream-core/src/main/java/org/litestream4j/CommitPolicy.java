package org.litestream4j;

/**
 * Decides, for each commit through a wrapped {@code DataSource}, whether it is to be replicated, and who waits for that. Called
 * on the committing thread; must be thread-safe.
 */
public interface CommitPolicy {

    /** Whether a commit of this thread must be replicated; asked before it. */
    boolean isReplicated(ManagedDatabase database);

    /**
     * A commit that changed something has returned from SQLite. What is thrown here reaches the caller of the commit, although
     * that is done. The connection does not hold the write lock.
     *
     * @param autoCommit whether the statement was a transaction of its own; otherwise this is within {@link
     *     java.sql.Connection#commit}
     */
    void committed(ManagedDatabase database, boolean autoCommit);
}
