package org.litestream4j.benchmarks;

import static java.util.Objects.requireNonNull;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Durability;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ReplicaOperation;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Commits that return when they are on the replica, which takes 20 ms for each file. Each writer has a connection of its own and
 * commits without a pause; half of the writers use auto-commit.
 *
 * <p>Usage: {@code ReplicatedCommits FOLDER SECONDS WRITERS...}
 */
public final class ReplicatedCommits {

    private static final int MOST = 1 << 20;

    private ReplicatedCommits() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        int seconds = Integer.parseInt(args[1]);
        for (String synchronous : new String[] {"NORMAL", "FULL"}) {
            for (String writers : Arrays.asList(args).subList(2, args.length)) {
                run(folder, seconds, Integer.parseInt(writers), synchronous);
            }
        }
    }

    private static void run(Path folder, int seconds, int writers, String synchronous) throws Exception {
        Files.createDirectories(folder);
        Path path = folder.resolve("replicated.db");
        Path replica = folder.resolve("replicated-replica");
        Files.deleteIfExists(path);
        CommitThroughput.delete(replica);
        CommitThroughput.delete(folder.resolve(".replicated.db-litestream"));
        SQLiteConfig options = new SQLiteConfig();
        options.setBusyTimeout(10_000);
        options.setSynchronous(SQLiteConfig.SynchronousMode.valueOf(synchronous));
        SQLiteDataSource physical = new SQLiteDataSource(options);
        physical.setUrl("jdbc:sqlite:" + path);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, ReplicaLocation.of("slow://" + replica))
                            .durability(Durability.REPLICATED)
                            .build());
            DataSource source = database.wrap(physical);
            try (Connection connection = source.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("create table t(id integer primary key, writer integer, x text)");
            }
            Latencies latencies = new Latencies();
            long puts = puts(database);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            CountDownLatch done = new CountDownLatch(writers);
            for (int i = 0; i < writers; i++) {
                int writer = i;
                new Thread(() -> write(source, writer, end, latencies, done)).start();
            }
            done.await();
            report(synchronous, writers, seconds, puts(database) - puts, latencies);
        }
    }

    private static long puts(ManagedDatabase database) {
        return requireNonNull(database.statistics().operations().get(ReplicaOperation.PUT))
                .count();
    }

    private static void write(DataSource source, int writer, long end, Latencies latencies, CountDownLatch done) {
        try (Connection connection = source.getConnection();
                PreparedStatement insert =
                        connection.prepareStatement("insert into t(writer, x) values (?, 'some text of a row')")) {
            boolean transactions = writer % 2 == 1;
            connection.setAutoCommit(!transactions);
            for (long begin = System.nanoTime(); begin < end; begin = System.nanoTime()) {
                insert.setInt(1, writer);
                insert.executeUpdate();
                if (transactions) {
                    connection.commit();
                }
                latencies.add(System.nanoTime() - begin);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } finally {
            done.countDown();
        }
    }

    private static void report(String synchronous, int writers, int seconds, long puts, Latencies latencies) {
        long[] nanos = latencies.sorted();
        System.out.printf(
                Locale.ROOT,
                "%-6s %2d writer(s): %5d commits/s, %4.1f commits an upload, p50 %.1f ms, p99 %.1f ms, longest %.1f ms%n",
                synchronous,
                writers,
                nanos.length / seconds,
                (double) nanos.length / puts,
                nanos[nanos.length / 2] / 1e6,
                nanos[(int) (nanos.length * 0.99)] / 1e6,
                nanos[nanos.length - 1] / 1e6);
    }

    private static final class Latencies {
        private final long[] nanos = new long[MOST];
        private int count;

        synchronized void add(long value) {
            nanos[count++] = value;
        }

        synchronized long[] sorted() {
            long[] values = Arrays.copyOf(nanos, count);
            Arrays.sort(values);
            return values;
        }
    }
}
