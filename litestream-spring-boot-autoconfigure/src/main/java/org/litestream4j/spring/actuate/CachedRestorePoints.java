package org.litestream4j.spring.actuate;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.restore.RestorePoints;

/** Reads the restore points of a replica at most once in 10 s, for any number of requests. Thread-safe. */
final class CachedRestorePoints {

    private static final Duration LIFETIME = Duration.ofSeconds(10);

    private final Source source;
    private final ConcurrentMap<String, Entry> entries = new ConcurrentHashMap<>();

    /** Lists the restore points of a replica. */
    @FunctionalInterface
    interface Source {
        RestorePoints of(ManagedDatabase database) throws IOException;
    }

    CachedRestorePoints(Source source) {
        this.source = source;
    }

    RestorePointsDescription of(ManagedDatabase database) throws IOException {
        return entries.computeIfAbsent(database.name(), name -> new Entry()).get(database);
    }

    /** Discards the cached restore points of a database. */
    void forget(String database) {
        entries.remove(database);
    }

    private final class Entry {
        private final ReentrantLock lock = new ReentrantLock();

        @GuardedBy("lock")
        private @Nullable RestorePointsDescription known;

        @GuardedBy("lock")
        private long since;

        RestorePointsDescription get(ManagedDatabase database) throws IOException {
            lock.lock();
            try {
                RestorePointsDescription present = known;
                if (present == null || System.nanoTime() - since > LIFETIME.toNanos()) {
                    present = RestorePointsDescription.of(source.of(database));
                    known = present;
                    since = System.nanoTime();
                }
                return present;
            } finally {
                lock.unlock();
            }
        }
    }
}
