package org.litestream4j.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.Tally;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Transactions that read first and then write, as those of an ordinary Spring service: one connection without
 * competitors, so that the engine causes each failure. Counts failures, and how long the engine held the write lock.
 *
 * <p>Usage: {@code ReadThenWrite FOLDER COMMITS_A_SECOND SECONDS}; 0 commits a second means full speed.
 */
public final class ReadThenWrite {

    private static final int ROWS = 200_000;

    private ReadThenWrite() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        long pace = Long.parseLong(args[1]);
        long seconds = Long.parseLong(args[2]);
        Files.createDirectories(folder);
        Path path = folder.resolve("readthenwrite.db");
        Path replica = folder.resolve("readthenwrite-replica");
        Files.deleteIfExists(path);
        CommitThroughput.delete(replica);
        CommitThroughput.delete(folder.resolve(".readthenwrite.db-litestream"));

        SQLiteConfig options = new SQLiteConfig();
        options.setJournalMode(SQLiteConfig.JournalMode.WAL);
        options.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
        options.setBusyTimeout(10_000);
        SQLiteDataSource source = new SQLiteDataSource(options);
        source.setUrl("jdbc:sqlite:" + path);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(DatabaseConfig.builder(
                            path, ReplicaLocation.of(replica.toUri().toString()))
                    .build());
            try (Connection connection = database.wrap(source).getConnection()) {
                fill(connection);
                database.sync(Duration.ofMinutes(1));
                run(connection, database, pace, TimeUnit.SECONDS.toNanos(seconds));
            }
        }
    }

    private static void fill(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("create table account(id integer primary key, owner text, balance integer)");
            statement.execute("create index account_owner on account(owner)");
        }
        try (PreparedStatement insert = connection.prepareStatement("insert into account values (?, ?, 0)")) {
            Random random = new Random(42);
            for (int id = 0; id < ROWS; id++) {
                insert.setInt(1, id);
                insert.setString(2, "owner-" + random.nextInt());
                insert.executeUpdate();
            }
        }
        connection.commit();
    }

    private static void run(Connection connection, ManagedDatabase database, long pace, long length)
            throws SQLException {
        Random random = new Random(43);
        Tally before = database.statistics().writeLock();
        long[] nanos = new long[1 << 22];
        int done = 0;
        int failed = 0;
        long begun = System.nanoTime();
        for (long now = begun; now - begun < length && done < nanos.length; now = System.nanoTime()) {
            try {
                change(connection, random);
            } catch (SQLException e) {
                failed++;
                connection.rollback();
            }
            nanos[done++] = System.nanoTime() - now;
            if (pace > 0) {
                LockSupport.parkNanos(begun + done * TimeUnit.SECONDS.toNanos(1) / pace - System.nanoTime());
            }
        }
        double took = (System.nanoTime() - begun) / 1e9;
        Tally after = database.statistics().writeLock();
        Arrays.sort(nanos, 0, done);
        System.out.printf(
                Locale.ROOT,
                "%.0f transactions/s, %d failed of %d (%.3f %%), p50 %.3f ms, p99 %.3f ms, longest %.1f ms;"
                        + " write lock held %d times, %.1f ms in all%n",
                done / took,
                failed,
                done,
                100.0 * failed / done,
                nanos[done / 2] / 1e6,
                nanos[(int) (done * 0.99)] / 1e6,
                nanos[done - 1] / 1e6,
                after.count() - before.count(),
                after.total().minus(before.total()).toNanos() / 1e6);
    }

    private static void change(Connection connection, Random random) throws SQLException {
        int id = random.nextInt(ROWS);
        long balance;
        try (PreparedStatement select = connection.prepareStatement("select balance from account where id = ?")) {
            select.setInt(1, id);
            try (ResultSet row = select.executeQuery()) {
                balance = row.getLong(1);
            }
        }
        try (PreparedStatement update =
                connection.prepareStatement("update account set balance = ?, owner = ? where id = ?")) {
            update.setLong(1, balance + 1);
            update.setString(2, "owner-" + random.nextInt());
            update.setInt(3, id);
            update.executeUpdate();
        }
        connection.commit();
    }
}
