package org.litestream4j.benchmarks;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.OptionalLong;
import org.litestream4j.compaction.Compaction;
import org.litestream4j.compaction.CompactionSettings;
import org.litestream4j.compaction.Levels;
import org.litestream4j.compaction.SnapshotKeep;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CaptureSettings;
import org.litestream4j.internal.capture.LiveImage;
import org.litestream4j.internal.replication.Ownership;
import org.litestream4j.internal.replication.Replication;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;

/**
 * What a month of one database costs in S3: the engine's capture, replication and compaction with a real database and the
 * default settings, on a simulated clock, against a replica that counts.
 *
 * <p>Arguments: a folder (in memory, if it shall be quick), the days, then optionally the dollars for 1,000 PUT or LIST, for
 * 1,000 GET, and for a GB-month (0.005, 0.0004, 0.023).
 */
public final class RequestCost {

    private static final Duration LEVEL0_RETENTION = Duration.ofMinutes(5);
    private static final Duration DAY = Duration.ofDays(1);
    private static final int ROWS = 5000;

    private record Prices(double put, double get, double storage) {}

    private record Load(String name, Duration every) {}

    private final SimulatedClock clock = new SimulatedClock();
    private final CountingReplica replica;
    private final Connection connection;
    private final Capture capture;
    private final Compaction compaction;
    private final Replication replication;

    private long commits;
    private double byteMillis;

    /** Prints a row of the table for each load. */
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Duration total = DAY.multipliedBy(Long.parseLong(args[1]));
        Prices prices = new Prices(price(args, 2, 0.005), price(args, 3, 0.0004), price(args, 4, 0.023));
        System.out.println(
                "| load | commits | PUT | LIST | GET | DELETE | stored, MB | requests, $/month | storage, $/month |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        for (Load load : new Load[] {
            new Load("idle", total.plus(DAY)),
            new Load("1 write/h", Duration.ofHours(1)),
            new Load("1 write/min", Duration.ofMinutes(1)),
            new Load("1 write/s", Duration.ofSeconds(1))
        }) {
            Path own = Files.createTempDirectory(folder, "cost");
            RequestCost simulation = new RequestCost(own);
            try {
                simulation.run(total, load.every());
            } finally {
                simulation.close();
            }
            System.out.println(simulation.row(load, total, prices));
        }
    }

    private static double price(String[] args, int index, double otherwise) {
        return args.length > index ? Double.parseDouble(args[index]) : otherwise;
    }

    private RequestCost(Path folder) throws Exception {
        Path path = folder.resolve("app.db");
        replica = new CountingReplica(Replicas.open(
                ReplicaLocation.of(folder.resolve("replica").toUri().toString())));
        connection = DriverManager.getConnection("jdbc:sqlite:" + path);
        execute(
                "pragma journal_mode=wal",
                "pragma wal_autocheckpoint=0",
                "pragma synchronous=off",
                "create table t(n integer primary key, v)",
                "with recursive s(n) as (select 1 union all select n + 1 from s where n < " + ROWS
                        + ") insert into t select n, randomblob(200) from s");
        capture = new Capture(
                new CaptureSettings(
                        path,
                        folder.resolve("meta"),
                        Duration.ofSeconds(1),
                        Duration.ofMinutes(1),
                        1000,
                        16_384,
                        64 << 20,
                        PageEncoding.BLOCK,
                        true),
                clock,
                CaptureListener.NONE);
        Ownership ownership = new Ownership(replica, clock, clock::nanoTime, LEVEL0_RETENTION.dividedBy(2));
        compaction = new Compaction(
                replica,
                new CompactionSettings(
                        Levels.DEFAULT, LEVEL0_RETENTION, DAY, DAY, SnapshotKeep.NONE, true, PageEncoding.BLOCK, true),
                (name, size) -> {
                    try {
                        return new OpenedFile(
                                Files.newInputStream(capture.staging().path(name)), OptionalLong.empty());
                    } catch (NoSuchFileException e) {
                        return null;
                    }
                },
                ownership::ensure,
                clock,
                clock::nanoTime);
        replication = new Replication(capture, replica, clock, LEVEL0_RETENTION, ownership, compaction::uploaded);
        if (!capture.acquireLocalState()) {
            throw new IllegalStateException("somebody else has " + path);
        }
        capture.attach();
        replication.startAfter(replication.verify().replicaNewest());
        capture.image(Txid.NONE, false);
        upload();
    }

    /** The first commit comes in the middle of the first interval. */
    private void run(Duration total, Duration every) throws Exception {
        long end = clock.millis() + total.toMillis();
        long nextCommit = clock.millis() + every.toMillis() / 2 + 1;
        if (every.compareTo(total) > 0) {
            commit(); // and nothing after it
            nextCommit = Long.MAX_VALUE;
        }
        while (true) {
            compaction.refresh();
            long due = compaction.millisUntilDue(replication.replicated());
            long next = Math.min(nextCommit, due < 0 ? Long.MAX_VALUE : clock.millis() + due);
            advance(Math.min(next, end));
            if (next >= end) {
                return;
            }
            if (next == nextCommit) {
                commit();
                nextCommit += every.toMillis();
            } else {
                compact();
            }
        }
    }

    private void advance(long until) {
        long millis = until - clock.millis();
        byteMillis += (double) replica.storedBytes * millis;
        clock.advance(millis);
    }

    private void commit() throws Exception {
        commits++;
        execute("update t set v = randomblob(200) where n = " + (commits * 7919 % ROWS + 1));
        capture.capture();
        capture.checkpoint();
        upload();
    }

    private void upload() throws IOException {
        while (replication.uploadNext() != null) {
            // one file
        }
    }

    private void compact() throws IOException {
        if (compaction.isSnapshotDue(replication.replicated())) {
            publishSnapshot();
        }
        compaction.run(false);
    }

    private void publishSnapshot() throws IOException {
        try (LiveImage image = capture.openImage()) {
            upload();
            if (!image.write(() -> false)) {
                throw new IllegalStateException("no snapshot");
            }
            Path file = capture.snapshots().path(image.name());
            try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
                compaction.publishSnapshot(image.name(), clock.instant(), OptionalLong.empty(), in, file.toString());
            }
            Files.delete(file);
        }
    }

    private String row(Load load, Duration total, Prices prices) {
        double months = (double) total.toMillis() / DAY.multipliedBy(30).toMillis();
        double stored = byteMillis / total.toMillis();
        double requests = ((replica.puts + replica.lists) * prices.put() + replica.gets * prices.get()) / 1000 / months;
        return String.format(
                Locale.ROOT,
                "| %s | %,d | %,d | %,d | %,d | %,d | %.1f | %.4f | %.4f |",
                load.name(),
                commits,
                replica.puts,
                replica.lists,
                replica.gets,
                replica.deletes,
                stored / 1e6,
                requests,
                stored / (1 << 30) * prices.storage());
    }

    private void execute(String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private void close() throws Exception {
        connection.close();
        capture.close();
        capture.releaseLocalState();
        replica.close();
    }

    /** The wall clock and the monotonic one. */
    private static final class SimulatedClock extends Clock {
        private static final long BEGIN = Instant.parse("2026-03-01T12:00:00Z").toEpochMilli();

        private long millis;

        void advance(long by) {
            millis += by;
        }

        long nanoTime() {
            return millis * 1_000_000;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(BEGIN + millis);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
