package org.litestream4j.spring;

import java.time.Duration;
import javax.sql.DataSource;

/**
 * Waits for replication, independently of transactions: a wait covers everything that is committed when the call
 * begins, but no open transaction. Also replicates the database of a {@code DataSource} that is not a bean.
 * Thread-safe.
 */
public interface LitestreamOperations {

    /**
     * Prepares a {@code DataSource} that the application creates at runtime in the same way as beans: restores its
     * database if the file is missing, starts its replication if the file belongs to a configured folder and is not
     * replicated yet, and makes the engine notice its commits. Call this before the {@code DataSource} opens its first
     * connection.
     *
     * @return the {@code DataSource} to use from now on; for a HikariCP pool, the same one
     * @throws IllegalArgumentException if its database is not one of {@code litestream.databases}
     * @throws LitestreamSettingException if it may have opened the database already
     */
    DataSource replicate(DataSource dataSource);

    /**
     * Waits until all replicated databases are up to date on their replicas. Starts uploads immediately.
     *
     * @param timeout longest total wait
     * @throws org.litestream4j.ReplicationTimeoutException if the timeout has passed
     * @throws org.litestream4j.NotReplicatedException at once, if a database is not being replicated, or if the
     *     thread is interrupted, which leaves its interrupt status set
     */
    void awaitReplicated(Duration timeout);

    /**
     * Waits until one database is up to date on its replica. Starts an upload immediately.
     *
     * @param database name of the database
     * @throws IllegalArgumentException if no replicated database has this name
     * @throws org.litestream4j.ReplicationTimeoutException if the timeout has passed
     * @throws org.litestream4j.NotReplicatedException at once, if the database is not being replicated, or if the
     *     thread is interrupted, which leaves its interrupt status set
     */
    void awaitReplicated(String database, Duration timeout);

    /**
     * Waits as {@link #awaitReplicated(Duration)} does, but without starting uploads; the next regular sync uploads the
     * changes.
     */
    void awaitNextSync(Duration timeout);

    /**
     * Waits as {@link #awaitReplicated(String, Duration)} does, but without starting an upload; the next regular sync
     * uploads the changes.
     */
    void awaitNextSync(String database, Duration timeout);
}
