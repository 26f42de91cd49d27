package org.litestream4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Commits per second of an application, without and with replication to a folder, in turn in one run. "Without" is plain
 * SQLite in WAL mode with its own automatic checkpoint.
 *
 * <p>Usage: {@code CommitThroughput FOLDER DATABASE_MB SECONDS [ROUNDS [SCENARIO]]}
 */
public final class CommitThroughput {

    private static final String NOTE = "n".repeat(300);

    private enum Workload {
        ROW,
        BATCH_100,
        BLOB_4K
    }

    private record Scenario(Workload workload, int writers, String synchronous, int commitsPerSecond) {
        @Override
        public String toString() {
            String pace = commitsPerSecond == 0 ? "full speed" : commitsPerSecond + "/s";
            return String.format(Locale.ROOT, "%-9s %d writer(s) %-6s %-10s", workload, writers, synchronous, pace);
        }
    }

    private record Outcome(double commitsPerSecond, double p50, double p99, double longest) {
        static Outcome of(List<long[]> latencies, double seconds) {
            long[] all =
                    latencies.stream().flatMapToLong(Arrays::stream).sorted().toArray();
            return new Outcome(
                    all.length / seconds,
                    all[all.length / 2] / 1e6,
                    all[(int) (all.length * 0.99)] / 1e6,
                    all[all.length - 1] / 1e6);
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%8.0f commits/s  p50 %7.3f  p99 %7.3f  longest %8.1f ms",
                    commitsPerSecond,
                    p50,
                    p99,
                    longest);
        }
    }

    private final Path folder;
    private final int megabytes;
    private final int seconds;

    private CommitThroughput(Path folder, int megabytes, int seconds) {
        this.folder = folder;
        this.megabytes = megabytes;
        this.seconds = seconds;
    }

    public static void main(String[] args) throws Exception {
        CommitThroughput benchmark =
                new CommitThroughput(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]));
        int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 1;
        List<Scenario> scenarios = List.of(
                new Scenario(Workload.ROW, 1, "NORMAL", 0),
                new Scenario(Workload.ROW, 8, "NORMAL", 0),
                new Scenario(Workload.ROW, 1, "NORMAL", 2_000),
                new Scenario(Workload.ROW, 1, "FULL", 0),
                new Scenario(Workload.ROW, 8, "FULL", 0),
                new Scenario(Workload.BATCH_100, 1, "NORMAL", 0),
                new Scenario(Workload.BLOB_4K, 1, "NORMAL", 0));
        String only = args.length > 4 ? args[4] : "";
        for (Scenario scenario : scenarios) {
            if (!scenario.toString().replaceAll(" +", " ").contains(only)) {
                continue;
            }
            for (int round = 0; round < rounds; round++) {
                Outcome plain = benchmark.run(scenario, false);
                Outcome replicated = benchmark.run(scenario, true);
                System.out.println(scenario + " plain      " + plain);
                System.out.println(scenario + " replicated " + replicated
                        + String.format(
                                Locale.ROOT, "  ratio %.2f", replicated.commitsPerSecond() / plain.commitsPerSecond()));
            }
        }
    }

    private Outcome run(Scenario scenario, boolean replicated) throws Exception {
        Path path = freshDatabase();
        Path replica = folder.resolve("replica");
        if (!replicated) {
            awaitDisk();
            return load(scenario, dataSource(path, scenario.synchronous()));
        }
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(DatabaseConfig.builder(
                            path, ReplicaLocation.of(replica.toUri().toString()))
                    .build());
            DataSource source = database.wrap(dataSource(path, scenario.synchronous()));
            database.sync(Duration.ofMinutes(5)); // the first image
            awaitDisk();
            return load(scenario, source);
        } finally {
            delete(replica);
        }
    }

    /** What was written to make ready is on the disk before the load begins. */
    private static void awaitDisk() throws IOException, InterruptedException {
        int exit = new ProcessBuilder("sync").inheritIO().start().waitFor();
        if (exit != 0) {
            throw new IOException("sync ended with " + exit);
        }
    }

    private Path freshDatabase() throws IOException, SQLException {
        Path template = folder.resolve("template-" + megabytes + ".db");
        if (!Files.exists(template)) {
            Files.createDirectories(folder);
            OrdersDatabase.create(template, (long) megabytes << 20);
            try (Connection connection = dataSource(template, "NORMAL").getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("create table blobs(id integer primary key, data blob)");
            }
        }
        Path path = folder.resolve("bench.db");
        for (String suffix : new String[] {"", "-wal", "-shm"}) {
            Files.deleteIfExists(folder.resolve("bench.db" + suffix));
        }
        delete(folder.resolve(".bench.db-litestream"));
        Files.copy(template, path);
        return path;
    }

    private Outcome load(Scenario scenario, DataSource source) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        List<Writer> writers = new ArrayList<>();
        for (int i = 0; i < scenario.writers(); i++) {
            Writer writer = new Writer(scenario, source, i, end);
            writer.start();
            writers.add(writer);
        }
        List<long[]> latencies = new ArrayList<>();
        for (Writer writer : writers) {
            writer.join();
            if (writer.failure != null) {
                throw writer.failure;
            }
            latencies.add(Arrays.copyOf(writer.latencies, writer.count));
        }
        return Outcome.of(latencies, seconds);
    }

    private static DataSource dataSource(Path path, String synchronous) {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(30_000);
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.valueOf(synchronous));
        SQLiteDataSource source = new SQLiteDataSource(config);
        source.setUrl("jdbc:sqlite:" + path);
        return source;
    }

    static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (var paths = Files.walk(folder)) {
                for (Path path :
                        paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    private static final class Writer extends Thread {
        private final Scenario scenario;
        private final DataSource source;
        private final Random random;
        private final long end;
        private long[] latencies = new long[1 << 16];
        private int count;
        private volatile @Nullable Exception failure;

        Writer(Scenario scenario, DataSource source, int seed, long end) {
            this.scenario = scenario;
            this.source = source;
            this.random = new Random(1_000 + seed);
            this.end = end;
        }

        @Override
        public void run() {
            try (Connection connection = source.getConnection()) {
                write(connection);
            } catch (SQLException e) {
                failure = e;
            }
        }

        private void write(Connection connection) throws SQLException {
            long pause = scenario.commitsPerSecond() == 0 ? 0 : 1_000_000_000L / scenario.commitsPerSecond();
            String sql = scenario.workload() == Workload.BLOB_4K
                    ? "insert into blobs(data) values (?)"
                    : "insert into orders(reference, customer, email, state, total_cents, created_at, note)"
                            + " values (?, ?, 'mail@example.org', 'NEW', 100, '2026-11-24T12:00:00Z', ?)";
            byte[] blob = new byte[4096];
            long next = System.nanoTime();
            try (PreparedStatement insert = connection.prepareStatement(sql);
                    Statement transaction = connection.createStatement()) {
                while (System.nanoTime() - end < 0) {
                    while (System.nanoTime() - next < 0) {
                        LockSupport.parkNanos(next - System.nanoTime());
                    }
                    next += pause;
                    long start = System.nanoTime();
                    if (scenario.workload() == Workload.BLOB_4K) {
                        random.nextBytes(blob);
                        insert.setBytes(1, blob);
                        insert.executeUpdate();
                    } else if (scenario.workload() == Workload.BATCH_100) {
                        transaction.execute("begin immediate");
                        for (int i = 0; i < 100; i++) {
                            row(insert);
                        }
                        transaction.execute("commit");
                    } else {
                        row(insert);
                    }
                    if (count == latencies.length) {
                        latencies = Arrays.copyOf(latencies, 2 * count);
                    }
                    latencies[count++] = System.nanoTime() - start;
                }
            }
        }

        private void row(PreparedStatement insert) throws SQLException {
            insert.setString(1, new UUID(random.nextLong(), random.nextLong()).toString());
            insert.setString(2, "customer-" + random.nextInt(50_000));
            insert.setString(3, NOTE);
            insert.executeUpdate();
        }
    }
}
