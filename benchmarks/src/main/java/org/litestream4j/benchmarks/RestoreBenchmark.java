package org.litestream4j.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Locale;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;

/**
 * Restores a large database from any replica: {@code prepare URL MEGABYTES INCREMENTS} makes the replica, then
 * {@code restore URL TARGET [PARALLELISM]} measures; run the latter with {@code -Xmx64m}.
 */
public final class RestoreBenchmark {

    private static final int PAGE_SIZE = OrdersDatabase.PAGE_SIZE;

    private static final int PAGES_PER_INCREMENT = 50;

    private static final double MEGABYTE = 1e6;

    private RestoreBenchmark() {}

    /** Prepares or measures. */
    public static void main(String[] args) throws IOException, SQLException {
        if (args.length == 4 && args[0].equals("prepare")) {
            prepare(args[1], Long.parseLong(args[2]), Integer.parseInt(args[3]));
        } else if (args.length >= 3 && args[0].equals("restore")) {
            int parallelism = args.length > 3 ? Integer.parseInt(args[3]) : RestoreOptions.DEFAULT_PARALLELISM;
            restore(args[1], Path.of(args[2]), parallelism);
        } else {
            System.err.println("prepare URL MEGABYTES INCREMENTS, or restore URL TARGET [PARALLELISM]");
            System.exit(2);
        }
    }

    private static void prepare(String url, long megabytes, int increments) throws IOException, SQLException {
        Path database = Files.createTempDirectory("restore-benchmark").resolve("orders.db");
        try (ReplicaClient client = Replicas.open(ReplicaLocation.of(url))) {
            client.prepare();
            OrdersDatabase.create(database, megabytes * 1024 * 1024);
            long commit = Files.size(database) / PAGE_SIZE;
            try (InputStream in = Files.newInputStream(database);
                    ReplicaUpload upload = begin(client, 9, 1, commit);
                    LtxWriter writer = LtxWriter.open(upload, header(1, commit), PageEncoding.BLOCK)) {
                byte[] page = new byte[PAGE_SIZE];
                for (long pgno = 1; pgno <= commit; pgno++) {
                    in.readNBytes(page, 0, PAGE_SIZE);
                    if (pgno != LockPage.pgno(PAGE_SIZE)) {
                        writer.writePage(pgno, page);
                    }
                }
                writer.finish(0);
                upload.publish();
            }
            Random random = new Random(7);
            for (long txid = 2; txid < 2 + increments; txid++) {
                writeIncrement(client, txid, commit, database, random);
            }
        } finally {
            Files.deleteIfExists(database);
            Files.delete(database.getParent());
        }
    }

    private static void writeIncrement(ReplicaClient client, long txid, long commit, Path database, Random random)
            throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        try (FileChannel channel = FileChannel.open(database, StandardOpenOption.READ)) {
            while (pages.size() < PAGES_PER_INCREMENT) {
                byte[] page = new byte[PAGE_SIZE];
                channel.read(ByteBuffer.wrap(page), random.nextLong(commit) * PAGE_SIZE);
                pages.put(1 + random.nextLong(commit), page); // any page will do: SQLite does not look at it
            }
            pages.remove(LockPage.pgno(PAGE_SIZE));
        }
        try (ReplicaUpload upload = begin(client, 0, txid, commit);
                LtxWriter writer = LtxWriter.open(upload, header(txid, commit), PageEncoding.BLOCK)) {
            for (var page : pages.entrySet()) {
                writer.writePage(page.getKey(), page.getValue());
            }
            writer.finish(0);
            upload.publish();
        }
    }

    private static ReplicaUpload begin(ReplicaClient client, int level, long txid, long commit) throws IOException {
        LtxHeader header = header(txid, commit);
        return client.write(level, header.fileName(), Instant.ofEpochMilli(header.timestampMillis()));
    }

    private static LtxHeader header(long txid, long commit) {
        return LtxHeader.of(
                PAGE_SIZE,
                commit,
                new Txid(txid),
                new Txid(txid),
                1_790_000_000_000L + txid * 1000,
                new WalRange(32, PAGE_SIZE + 24L, 1, 2));
    }

    private static void restore(String url, Path target, int parallelism) throws IOException {
        AtomicInteger requests = new AtomicInteger();
        RequestListener counter = request -> requests.incrementAndGet();
        try (ReplicaClient client = Replicas.open(ReplicaLocation.of(url), counter)) {
            RestoreOptions options = RestoreOptions.builder()
                    .parallelism(parallelism)
                    .force(true)
                    .build();
            RestoreResult result = Restore.restore(client, target, options);
            double seconds = result.elapsed().toMillis() / 1000.0;
            double written = (double) result.pages() * result.pageSize();
            System.out.printf(
                    Locale.ROOT,
                    "%.2f s, %.0f MB written (%.0f MB/s), %.0f MB read, %d files, %d requests, %.0f MB peak heap%n",
                    seconds,
                    written / MEGABYTE,
                    written / MEGABYTE / seconds,
                    result.bytesRead() / MEGABYTE,
                    result.files(),
                    requests.get(),
                    peakHeap() / MEGABYTE);
        }
    }

    private static long peakHeap() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .map(MemoryPoolMXBean::getPeakUsage)
                .mapToLong(usage -> usage.getUsed())
                .sum();
    }
}
