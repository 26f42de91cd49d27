package org.litestream4j.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * From the return of a commit to its being on a replica in a folder, one commit after a pause longer than the sync interval.
 *
 * <p>Usage: {@code CommitLatency FOLDER COMMITS}
 */
public final class CommitLatency {

    private CommitLatency() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        int commits = Integer.parseInt(args[1]);
        Files.createDirectories(folder);
        Path path = folder.resolve("latency.db");
        Path replica = folder.resolve("latency-replica");
        Files.deleteIfExists(path);
        CommitThroughput.delete(replica);
        CommitThroughput.delete(folder.resolve(".latency.db-litestream"));

        SQLiteConfig options = new SQLiteConfig();
        options.setBusyTimeout(10_000);
        SQLiteDataSource source = new SQLiteDataSource(options);
        source.setUrl("jdbc:sqlite:" + path);
        long[] nanos = new long[commits];
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(DatabaseConfig.builder(
                            path, ReplicaLocation.of(replica.toUri().toString()))
                    .build());
            try (Connection connection = database.wrap(source).getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("create table t(id integer primary key, x text)");
                database.sync(Duration.ofMinutes(1));
                try (PreparedStatement insert = connection.prepareStatement("insert into t(x) values ('row')")) {
                    for (int i = 0; i < commits; i++) {
                        TimeUnit.MILLISECONDS.sleep(1_300);
                        Txid before = database.status().replicated();
                        insert.executeUpdate();
                        long start = System.nanoTime();
                        while (!database.status().replicated().isAfter(before)) {
                            LockSupport.parkNanos(20_000);
                        }
                        nanos[i] = System.nanoTime() - start;
                    }
                }
            }
        }
        Arrays.sort(nanos);
        System.out.printf(
                Locale.ROOT,
                "commit to replicated, %d commits: p50 %.1f ms, p99 %.1f ms, longest %.1f ms%n",
                commits,
                nanos[commits / 2] / 1e6,
                nanos[(int) (commits * 0.99)] / 1e6,
                nanos[commits - 1] / 1e6);
    }
}
