package org.litestream4j.internal.jdbc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The databases of this process that are being replicated, by any engine. A connection to one of them can write to
 * another that it attaches. Thread-safe.
 */
final class RegisteredDatabases {

    private static final List<ApplicationConnections> DATABASES = new CopyOnWriteArrayList<>();
    private static final AtomicLong CHANGES = new AtomicLong();

    private RegisteredDatabases() {}

    static void add(ApplicationConnections database) {
        DATABASES.add(database);
        CHANGES.incrementAndGet();
    }

    static void remove(ApplicationConnections database) {
        DATABASES.remove(database);
        CHANGES.incrementAndGet();
    }

    /** Returns a number that grows with each change of the results of {@link #find}. */
    static long changes() {
        return CHANGES.get();
    }

    static List<ApplicationConnections> all() {
        return List.copyOf(DATABASES);
    }

    /** Returns the database of a file, under any of its names, without opening it; null if it is not replicated. */
    static @Nullable ApplicationConnections find(Path file) {
        for (ApplicationConnections database : DATABASES) {
            if (isSame(file, database.hooks().path())) {
                return database;
            }
        }
        return null;
    }

    private static boolean isSame(Path file, Path database) {
        try {
            return file.equals(database) || Files.isSameFile(file, database);
        } catch (IOException e) { // one of them does not exist
            return false;
        }
    }
}
