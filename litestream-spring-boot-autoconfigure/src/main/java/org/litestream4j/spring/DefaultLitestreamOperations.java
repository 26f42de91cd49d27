package org.litestream4j.spring;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.Mark;
import org.litestream4j.restore.RestoreTarget;

/** Implementation for the engine of this application. */
final class DefaultLitestreamOperations implements LitestreamOperations {

    private static final Duration MARK_TIMEOUT = Duration.ofMinutes(1);

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
    public Map<String, Mark> mark(String name) {
        Map<String, Mark> marks = new LinkedHashMap<>();
        for (ManagedDatabase database : litestream.databases()) {
            marks.put(database.name(), mark(database, name, null, MARK_TIMEOUT));
        }
        return marks;
    }

    @Override
    public Mark mark(String database, String name, @Nullable Duration keepFor, Duration timeout) {
        return mark(database(database), name, keepFor, timeout);
    }

    private static Mark mark(ManagedDatabase database, String name, @Nullable Duration keepFor, Duration timeout) {
        try {
            return database.mark(name, RestoreTarget.latest(), keepFor, timeout);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new InterruptedIOException("interrupted while setting the mark " + name));
        }
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
