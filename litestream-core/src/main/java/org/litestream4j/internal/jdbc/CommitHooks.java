package org.litestream4j.internal.jdbc;

import java.nio.file.Path;
import java.time.Duration;

/** What the application's connections to one database need of the engine that replicates it. Thread-safe. */
public interface CommitHooks {

    /** Name of the database, for messages. */
    String name();

    /** The file that SQLite opens for the database. */
    Path path();

    /** Pages that the WAL should not exceed for long. */
    int walLimitPages();

    /** Whether commits wait for the replica: those of statements that are transactions of their own, too. */
    boolean isDurable();

    /** A connection was opened; returns when the engine has attached to the database, or gives up waiting for that. */
    void opened();

    /** SQLite is about to commit, on the committing thread; must neither throw nor touch files. */
    void committing();

    /** Runs the checkpoint that the application asked SQLite for; longest wait in its busy timeout. */
    void checkpoint(Duration timeout);

    /** Decides, for each commit through one wrapped {@code DataSource}, whether it waits for the replica. Thread-safe. */
    interface Policy {

        /** Whether a commit of this thread must be replicated; asked before it. */
        boolean isReplicated(CommitHooks database);

        /**
         * A commit that changed something has returned from SQLite. What is thrown here reaches the caller of the commit.
         *
         * @param autoCommit whether the statement was a transaction of its own
         */
        void committed(CommitHooks database, boolean autoCommit);
    }
}
