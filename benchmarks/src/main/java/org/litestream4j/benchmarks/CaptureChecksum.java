package org.litestream4j.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CaptureSettings;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;

/**
 * What the database's checksum adds to a capture: two databases get the same transactions, one is captured with it, one
 * without, in turns.
 *
 * <p>Usage: {@code CaptureChecksum FOLDER ROWS_PER_CAPTURE ROUNDS}
 */
public final class CaptureChecksum {

    private static final int ROWS = 200_000;

    private CaptureChecksum() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        int rows = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        Files.createDirectories(folder);
        try (Side with = new Side(folder.resolve("with.db"), true);
                Side without = new Side(folder.resolve("without.db"), false)) {
            long[][] wall = new long[2][rounds];
            long[][] cpu = new long[2][rounds];
            for (int i = -rounds / 4; i < rounds; i++) { // the first ones warm up
                Side[] order = i % 2 == 0 ? new Side[] {with, without} : new Side[] {without, with};
                for (Side side : order) {
                    side.write(rows, i);
                    side.capture();
                    if (i >= 0) {
                        int which = side == with ? 0 : 1;
                        wall[which][i] = side.wallNanos;
                        cpu[which][i] = side.cpuNanos;
                    }
                }
            }
            System.out.printf(Locale.ROOT, "%d rows, %d pages per capture, median of %d:%n", rows, with.pages, rounds);
            report("time", wall);
            report("processor", cpu);
        }
    }

    private static void report(String what, long[][] nanos) {
        double with = median(nanos[0]) / 1e3;
        double without = median(nanos[1]) / 1e3;
        System.out.printf(
                Locale.ROOT,
                "%s: with %.0f us, without %.0f us, %+.1f %%%n",
                what,
                with,
                without,
                100 * (with / without - 1));
    }

    private static double median(long[] values) {
        long[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** A database and its capture. */
    private static final class Side implements AutoCloseable {
        private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        private final Connection writer;
        private final Path wal;
        private final Capture capture;
        private long wallNanos;
        private long cpuNanos;
        private long pages;

        Side(Path path, boolean databaseChecksum) throws IOException, SQLException {
            Path meta = path.resolveSibling(path.getFileName() + "-meta");
            for (String suffix : new String[] {"", "-wal", "-shm"}) {
                Files.deleteIfExists(path.resolveSibling(path.getFileName() + suffix));
            }
            deleteTree(meta);
            wal = path.resolveSibling(path.getFileName() + "-wal");
            writer = DriverManager.getConnection("jdbc:sqlite:" + path);
            try (Statement statement = writer.createStatement()) {
                statement.execute("pragma journal_mode=wal");
                statement.execute("pragma wal_autocheckpoint=0");
                statement.execute("pragma synchronous=normal");
                statement.execute("create table t(id integer primary key, k integer, v text)");
                statement.execute("create index i on t(k)");
                statement.execute("with recursive s(n) as (select 1 union all select n + 1 from s where n < " + ROWS
                        + ") insert into t select n, n * 7919 % 1000003, hex(randomblob(40)) from s");
            }
            capture = new Capture(
                    new CaptureSettings(
                            path,
                            meta,
                            Duration.ofSeconds(5),
                            Duration.ofMillis(1),
                            1,
                            16_384,
                            64 << 20,
                            PageEncoding.BLOCK,
                            databaseChecksum),
                    Clock.systemUTC(),
                    CaptureListener.NONE);
            capture.acquireLocalState();
            capture.attach();
            capture.establishContinuity();
            capture.image(Txid.NONE, false);
        }

        void write(int rows, int seed) throws SQLException, IOException {
            long before = Files.size(wal);
            writer.setAutoCommit(false);
            Random random = new Random(seed);
            try (PreparedStatement update = writer.prepareStatement("update t set k = ?, v = v || '' where id = ?")) {
                for (int i = 0; i < rows; i++) {
                    update.setInt(1, random.nextInt());
                    update.setInt(2, 1 + random.nextInt(ROWS));
                    update.executeUpdate();
                }
            }
            writer.commit();
            writer.setAutoCommit(true);
            pages = Math.max(pages, (Files.size(wal) - before) / (4096 + 24));
        }

        void capture() throws IOException {
            long cpu = threads.getCurrentThreadCpuTime();
            long begun = System.nanoTime();
            capture.capture();
            wallNanos = System.nanoTime() - begun;
            cpuNanos = threads.getCurrentThreadCpuTime() - cpu;
            capture.checkpoint();
        }

        @Override
        public void close() throws IOException, SQLException {
            capture.close();
            capture.releaseLocalState();
            writer.close();
        }

        private static void deleteTree(Path folder) throws IOException {
            if (Files.exists(folder)) {
                try (var files = Files.walk(folder)) {
                    for (Path file :
                            files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
        }
    }
}
