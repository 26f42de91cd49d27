package org.litestream4j.spring;

import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;

/**
 * Waits until what was committed is on the replica, where code wants to know it and not the transaction. Counts what is
 * committed when the call begins: not a transaction that is still open. Thread-safe.
 */
public final class LitestreamOperations {

    private final Litestream litestream;

    LitestreamOperations(Litestream litestream) {
        this.litestream = litestream;
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
