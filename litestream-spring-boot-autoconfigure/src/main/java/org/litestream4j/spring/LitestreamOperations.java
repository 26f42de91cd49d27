package org.litestream4j.spring;

import java.time.Duration;
import javax.sql.DataSource;

/**
 * Waits until what was committed is on the replica, where code wants to know it and not the transaction: counts what is
 * committed when the call begins, not a transaction that is still open. And replicates what a {@code DataSource} opens that is
 * no bean. Thread-safe.
 */
public interface LitestreamOperations {

    /**
     * Does for a {@code DataSource} that the application makes while it runs what is done for beans: restores its database if
     * the file is missing, begins to replicate it if it is one of a folder's and not replicated yet, and sees to it that its
     * connections are noticed. To be called before the {@code DataSource} opens its first connection.
     *
     * @return what to use from now on: the same, if it is a HikariCP pool
     * @throws IllegalArgumentException if its database is not one of {@code litestream.databases}
     * @throws LitestreamSettingException if it may have opened the database already
     */
    DataSource replicate(DataSource dataSource);

    /**
     * Waits for all replicated databases; uploads at once.
     *
     * @param timeout longest wait in all
     * @throws org.litestream4j.ReplicationTimeoutException if that was not in time
     * @throws org.litestream4j.NotReplicatedException at once, if a database is not being replicated, and if the thread is
     *     interrupted, which it stays
     */
    void awaitReplicated(Duration timeout);

    /**
     * Waits for one database; uploads at once.
     *
     * @param database name of the database
     * @throws IllegalArgumentException if no replicated database has this name
     * @throws org.litestream4j.ReplicationTimeoutException if that was not in time
     * @throws org.litestream4j.NotReplicatedException as above
     */
    void awaitReplicated(String database, Duration timeout);

    /** As {@link #awaitReplicated(Duration)}, but without causing an upload: with the next regular sync. */
    void awaitNextSync(Duration timeout);

    /** As {@link #awaitReplicated(String, Duration)}, but without causing an upload: with the next regular sync. */
    void awaitNextSync(String database, Duration timeout);
}
