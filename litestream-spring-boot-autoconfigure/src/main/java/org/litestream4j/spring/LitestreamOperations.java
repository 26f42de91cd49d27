package org.litestream4j.spring;

import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Mark;

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
     * Sets a mark on the current state of each replicated database. While a mark exists, retention keeps the files that
     * restore the marked state. Everything that is committed now is uploaded first. If one database fails, the marks of
     * the others remain.
     *
     * @param name 1 to 64 letters, digits, hyphens, underscores and dots, the first a letter or a digit
     * @return the marks, by name of the database
     * @throws IllegalArgumentException if marks cannot have this name
     * @throws java.io.UncheckedIOException if a mark cannot be set: the upload fails or takes more than a minute, or a mark
     *     of this name exists
     */
    Map<String, Mark> mark(String name);

    /**
     * Sets a mark on the current state of one database.
     *
     * @param database name of the database
     * @param name 1 to 64 letters, digits, hyphens, underscores and dots, the first a letter or a digit
     * @param keepFor time after which the mark expires; null if it does not expire
     * @param timeout longest wait for the upload
     * @throws IllegalArgumentException if no replicated database has this name, or if marks cannot have this name
     * @throws java.io.UncheckedIOException if the mark cannot be set
     */
    Mark mark(String database, String name, @Nullable Duration keepFor, Duration timeout);

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
