package org.litestream4j.internal.engine;

import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.testing.EngineFixture;

/** An application at its limit of threads when replication begins; then it has room again. */
final class ThreadLimitChild {

    private ThreadLimitChild() {}

    public static void main(String[] args) throws Exception {
        Path path = Path.of(args[0]);
        try (Litestream litestream = EngineFixture.litestream()) {
            CountDownLatch release = new CountDownLatch(1);
            int count = hog(release);
            System.out.println("threads of the application: " + count);
            ManagedDatabase database = litestream.register(
                    EngineFixture.config(path, path.resolveSibling("replica")).build());
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (database.status().lastError() == null && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            System.out.println("error: " + database.status().lastError());
            release.countDown();
            try (Connection connection = EngineFixture.open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(Duration.ofSeconds(30));
            }
            System.out.println(
                    "replicated after the limit: " + database.status().replicated());
        }
    }

    /** Takes all threads that there are. */
    private static int hog(CountDownLatch release) {
        int count = 0;
        try {
            while (count < 1_000) {
                Thread thread = new Thread(() -> await(release));
                thread.setDaemon(true);
                thread.start();
                count++;
            }
            throw new IllegalStateException("there is no limit");
        } catch (OutOfMemoryError e) {
            return count;
        }
    }

    private static void await(CountDownLatch release) {
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
