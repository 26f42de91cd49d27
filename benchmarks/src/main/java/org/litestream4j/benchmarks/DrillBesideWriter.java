package org.litestream4j.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillOptions;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Commits of a busy writer beside a restore drill of its database, compared with the commits directly before and after
 * the drill. The writer commits single rows without a pause.
 *
 * <p>Usage: {@code DrillBesideWriter FOLDER DATABASE_MB SECONDS ROUNDS LOAD...}, with the load of the drill in percent
 */
public final class DrillBesideWriter {

    private static final Duration PATIENCE = Duration.ofMinutes(30);

    private DrillBesideWriter() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        int megabytes = Integer.parseInt(args[1]);
        int seconds = Integer.parseInt(args[2]);
        int rounds = Integer.parseInt(args[3]);
        Files.createDirectories(folder);
        Path path = folder.resolve("drilled.db");
        Path replica = folder.resolve("drilled-replica");
        Files.deleteIfExists(path);
        CommitThroughput.delete(replica);
        CommitThroughput.delete(folder.resolve(".drilled.db-litestream"));
        OrdersDatabase.create(path, (long) megabytes << 20);
        SQLiteConfig options = new SQLiteConfig();
        options.setBusyTimeout(10_000);
        options.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
        SQLiteDataSource physical = new SQLiteDataSource(options);
        physical.setUrl("jdbc:sqlite:" + path);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(DatabaseConfig.builder(
                            path, ReplicaLocation.of(replica.toUri().toString()))
                    .build());
            DataSource source = database.wrap(physical);
            database.sync(PATIENCE);
            Writer writer = new Writer(source);
            Thread thread = new Thread(writer, "writer");
            thread.start();
            TimeUnit.SECONDS.sleep(seconds); // warms up
            for (String load : Arrays.asList(args).subList(4, args.length)) {
                run(database, writer, folder, Integer.parseInt(load), seconds, rounds);
            }
            writer.stopped.set(true);
            thread.join();
        }
    }

    private static void run(ManagedDatabase database, Writer writer, Path folder, int load, int seconds, int rounds)
            throws InterruptedException {
        DrillOptions options =
                DrillOptions.builder(folder.resolve("drills")).load(load).build();
        List<Double> losses = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            double before = rate(writer, seconds);
            long commits = writer.commits.get();
            long begin = System.nanoTime();
            DrillReport report = database.drill(options);
            double beside = (writer.commits.get() - commits) / ((System.nanoTime() - begin) / 1e9);
            double after = rate(writer, seconds);
            double loss = 100 * (1 - beside / ((before + after) / 2));
            losses.add(loss);
            System.out.printf(
                    Locale.ROOT,
                    "load %3d %%: %s in %.1f s, recovery %s, commits/s before %.0f, beside %.0f, after %.0f, loss %.1f %%%n",
                    load,
                    report.outcome(),
                    report.elapsed().toMillis() / 1e3,
                    report.recoveryTime(),
                    before,
                    beside,
                    after,
                    loss);
        }
        losses.sort(null);
        System.out.printf(Locale.ROOT, "load %3d %%: median loss %.1f %%%n", load, losses.get(losses.size() / 2));
    }

    private static double rate(Writer writer, int seconds) throws InterruptedException {
        long commits = writer.commits.get();
        long begin = System.nanoTime();
        TimeUnit.SECONDS.sleep(seconds);
        return (writer.commits.get() - commits) / ((System.nanoTime() - begin) / 1e9);
    }

    private static final class Writer implements Runnable {
        private final DataSource source;
        private final AtomicLong commits = new AtomicLong();
        private final AtomicBoolean stopped = new AtomicBoolean();

        Writer(DataSource source) {
            this.source = source;
        }

        @Override
        public void run() {
            try (Connection connection = source.getConnection()) {
                try (var statement = connection.createStatement()) {
                    statement.execute("create table if not exists busy(id integer primary key, x text)");
                }
                try (PreparedStatement insert =
                        connection.prepareStatement("insert into busy(x) values ('some text of a row')")) {
                    while (!stopped.get()) {
                        insert.executeUpdate();
                        commits.incrementAndGet();
                    }
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
