package org.litestream4j.spring;

import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;

/**
 * Waits until what was committed is on the replica, where code wants to know it and not the transaction: counts what is
 * committed when the call begins, not a transaction that is still open. And replicates what a {@code DataSource} opens that is
 * no bean. Thread-safe.
 */
public final class LitestreamOperations {

    private final Litestream litestream;
    private final UnaryOperator<DataSource> replicated;

    LitestreamOperations(Litestream litestream, UnaryOperator<DataSource> replicated) {
        this.litestream = litestream;
        this.replicated = replicated;
    }

    /**
     * Does for a {@code DataSource} that the application makes while it runs what is done for beans: restores its database if
     * the file is missing, begins to replicate it if it is one of a folder's and not replicated yet, and sees to it that its
     * connections are noticed. To be called before the {@code DataSource} opens its first connection.
     *
     * @return what to use from now on: the same, if it is a HikariCP pool
     * @throws IllegalArgumentException if its database is not one of {@code litestream.databases}
     * @throws LitestreamSettingException if it may have opened the database already
     */
    public DataSource replicate(DataSource dataSource) {
        return replicated.apply(dataSource);
    }

    /**
     * Waits for all replicated databases; uploads at once.
     *
     * @param timeout longest wait in all
     * @throws org.litestream4j.ReplicationTimeoutException if that was not in time
     * @throws org.litestream4j.NotReplicatedException at once, if a database is not being replicated, and if the thread is
     *     interrupted, which it stays
     */
    public void awaitReplicated(Duration timeout) {
        awaitAll(timeout, ManagedDatabase::awaitReplicated);
    }

    /**
     * Waits for one database; uploads at once.
     *
     * @param database name of the database
     * @throws IllegalArgumentException if no replicated database has this name
     * @throws org.litestream4j.ReplicationTimeoutException if that was not in time
     * @throws org.litestream4j.NotReplicatedException as above
     */
    public void awaitReplicated(String database, Duration timeout) {
        database(database).awaitReplicated(timeout);
    }

    /** As {@link #awaitReplicated(Duration)}, but without causing an upload: with the next regular sync. */
    public void awaitNextSync(Duration timeout) {
        awaitAll(timeout, ManagedDatabase::awaitNextSync);
    }

    /** As {@link #awaitReplicated(String, Duration)}, but without causing an upload: with the next regular sync. */
    public void awaitNextSync(String database, Duration timeout) {
        database(database).awaitNextSync(timeout);
    }

    private void awaitAll(Duration timeout, BiConsumer<ManagedDatabase, Duration> wait) {
        long deadline = System.nanoTime() + timeout.toNanos();
        for (ManagedDatabase database : litestream.databases()) {
            wait.accept(database, Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        }
    }

    private ManagedDatabase database(String name) {
        return litestream.database(name).orElseThrow(() -> {
            List<String> names =
                    litestream.databases().stream().map(ManagedDatabase::name).toList();
            return new IllegalArgumentException("no replicated database is named \"" + name + "\": there are " + names);
        });
    }
}
