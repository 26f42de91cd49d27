package org.litestream4j.spring;

import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;

/** Implementation for the engine of this application. */
final class DefaultLitestreamOperations implements LitestreamOperations {

    private final Litestream litestream;
    private final UnaryOperator<DataSource> replicated;

    DefaultLitestreamOperations(Litestream litestream, UnaryOperator<DataSource> replicated) {
        this.litestream = litestream;
        this.replicated = replicated;
    }

    @Override
    public DataSource replicate(DataSource dataSource) {
        return replicated.apply(dataSource);
    }

    @Override
    public void awaitReplicated(Duration timeout) {
        awaitAll(timeout, ManagedDatabase::awaitReplicated);
    }

    @Override
    public void awaitReplicated(String database, Duration timeout) {
        database(database).awaitReplicated(timeout);
    }

    @Override
    public void awaitNextSync(Duration timeout) {
        awaitAll(timeout, ManagedDatabase::awaitNextSync);
    }

    @Override
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
            return new IllegalArgumentException(
                    "no replicated database is named \"" + name + "\"; the names are " + names);
        });
    }
}
