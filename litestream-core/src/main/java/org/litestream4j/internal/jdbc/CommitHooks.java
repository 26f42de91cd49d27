package org.litestream4j.internal.jdbc;

import java.nio.file.Path;
import java.time.Duration;

/** The engine as needed by the application's connections to one database. Thread-safe. */
public interface CommitHooks {

    /** Returns the name of the database, for messages. */
    String name();

    /** Returns the file that SQLite opens for the database. */
    Path path();

    /** Returns the number of pages that the WAL should not exceed for long. */
    int walLimitPages();

    /** Returns whether commits wait for the replica, including those of statements that are their own transaction. */
    boolean isDurable();

    /** Called after a connection was opened. Returns when the engine has attached to the database, or after a timeout. */
    void opened();

    /** Called on the committing thread when SQLite is about to commit; must neither throw nor access files. */
    void committing();

    /**
     * Runs the checkpoint that the application has requested from SQLite.
     *
     * @param timeout longest wait; the busy timeout of the connection
     */
    void checkpoint(Duration timeout);

    /** Decides, for each commit through one wrapped {@code DataSource}, whether it waits for the replica. Thread-safe. */
    interface Policy {

        /** Returns whether the next commit of this thread must be replicated. Called before the commit. */
        boolean isReplicated(CommitHooks database);

        /**
         * Called after a commit that changed the database has returned from SQLite. An exception thrown here reaches
         * the caller of the commit.
         *
         * @param autoCommit whether the statement was its own transaction
         */
        void committed(CommitHooks database, boolean autoCommit);
    }
}
