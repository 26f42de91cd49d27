package org.litestream4j.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.internal.pages.PagesOptions;
import org.litestream4j.internal.pages.PinnedState;
import org.litestream4j.internal.pages.ReplicaPages;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;

/**
 * Reads the order database of {@link RestoreBenchmark} from its replica as SQLite would, page by page along the trees, without
 * SQLite: {@code URL FOLDER}, where the folder keeps page indexes and the file of a restore. Each measurement begins with an
 * empty cache for pages.
 */
public final class ReadReplicaBenchmark {

    /** The first table that was created: orders. */
    private static final long ROOT = 2;

    private static final int TABLE_INTERIOR = 5;

    private static final int ROWS = 10_000;

    private static final int POINTS = 30;

    private static final int SEED = 7;

    private final String url;
    private final Path folder;
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong received = new AtomicLong();

    private ReadReplicaBenchmark(String url, Path folder) {
        this.url = url;
        this.folder = folder;
    }

    /** Measures. */
    public static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("URL FOLDER");
            System.exit(2);
        }
        Files.createDirectories(Path.of(args[1]));
        new ReadReplicaBenchmark(args[0], Path.of(args[1])).run();
    }

    private interface Work {
        String run(ReplicaPages pages) throws Exception;
    }

    private void run() throws Exception {
        PagesOptions memory = PagesOptions.builder().build();
        measure("warm-up of the classes", memory, pages -> first(pages.newest()));
        measure("open and first row", memory, pages -> first(pages.newest()));
        PagesOptions disk = PagesOptions.builder().folder(folder).build();
        measure("open, indexes stored", disk, pages -> first(pages.newest()));
        measure("second open and first row", disk, pages -> first(pages.newest()));
        measure(ROWS + " consecutive rows", disk, pages -> consecutive(pages.newest()));
        measure(POINTS + " random rows", disk, pages -> random(pages.newest()));
        double scan = measure("scan of the table", disk, pages -> scan(pages.newest()));
        double all = measure("all pages by number", disk, pages -> everyPage(pages.newest()));
        double restored = restore();
        System.out.printf(Locale.ROOT, "rate of all pages to that of the restore: %.2f%n", restored / all);
        System.out.printf(Locale.ROOT, "scan of one table: %.2f s%n", scan);
        hydrated();
    }

    private double measure(String name, PagesOptions options, Work work) throws Exception {
        RequestListener counter = request -> {
            requests.incrementAndGet();
            received.addAndGet(request.bytesReceived());
        };
        ReplicaPages pages = ReplicaPages.open(Replicas.open(ReplicaLocation.of(url), counter), options);
        try (pages) {
            requests.set(0);
            received.set(0);
            long begun = System.nanoTime();
            String result = work.run(pages);
            double seconds = (System.nanoTime() - begun) / 1e9;
            System.out.printf(
                    Locale.ROOT,
                    "%-28s %7.3f s, %5d requests, %7.1f MB  %s%n",
                    name,
                    seconds,
                    requests.get(),
                    received.get() / 1e6,
                    result);
            return seconds;
        }
    }

    private static ByteBuffer page(PinnedState state, long pgno) throws IOException {
        int size = state.info().pageSize();
        ByteBuffer page = ByteBuffer.allocate(size);
        if (state.read((pgno - 1) * size, page) != size) {
            throw new IOException("page " + pgno + " is not whole");
        }
        return page.flip();
    }

    private static long child(ByteBuffer page, int at) {
        int cells = page.getShort(3) & 0xFFFF;
        return at == cells ? page.getInt(8) : page.getInt(page.getShort(12 + 2 * at) & 0xFFFF);
    }

    /** Reads the schema and goes down to a leaf, by the given part of each interior page. */
    private static ByteBuffer descend(PinnedState state, Random random) throws IOException {
        page(state, 1);
        ByteBuffer page = page(state, ROOT);
        while (page.get(0) == TABLE_INTERIOR) {
            page = page(state, child(page, random.nextInt((page.getShort(3) & 0xFFFF) + 1)));
        }
        return page;
    }

    private static String first(PageSource source) throws IOException {
        PinnedState state = source.pin();
        return descend(state, new Random(1)).getShort(3) + " rows in a leaf of "
                + state.info().pageCount() + " pages";
    }

    private static String random(PageSource source) throws IOException {
        Random random = new Random(SEED);
        for (int i = 0; i < POINTS; i++) {
            descend(source.pin(), random);
        }
        return "";
    }

    private static String consecutive(PageSource source) throws IOException {
        long[] rows = {0};
        PinnedState state = source.pin();
        page(state, 1);
        walk(state, ROOT, new Random(SEED), rows, ROWS);
        return rows[0] + " rows";
    }

    private static String scan(PageSource source) throws IOException {
        long[] rows = {0};
        PinnedState state = source.pin();
        page(state, 1);
        walk(state, ROOT, null, rows, Long.MAX_VALUE);
        return rows[0] + " rows";
    }

    /** Reads leaves in the order of a scan; with a random number, from somewhere on. */
    private static void walk(PinnedState state, long pgno, @Nullable Random random, long[] rows, long most)
            throws IOException {
        ByteBuffer page = page(state, pgno);
        int cells = page.getShort(3) & 0xFFFF;
        if (page.get(0) != TABLE_INTERIOR) {
            rows[0] += cells;
            return;
        }
        for (int i = random == null || rows[0] > 0 ? 0 : random.nextInt(cells / 2 + 1);
                i <= cells && rows[0] < most;
                i++) {
            walk(state, child(page, i), random, rows, most);
        }
    }

    private static String everyPage(PageSource source) throws IOException {
        PinnedState state = source.pin();
        for (long pgno = 1; pgno <= state.info().pageCount(); pgno++) {
            page(state, pgno);
        }
        return "";
    }

    private double restore() throws Exception {
        Path target = folder.resolve("restored.db");
        try (var client = Replicas.open(ReplicaLocation.of(url))) {
            RestoreResult result = Restore.restore(
                    client, target, RestoreOptions.builder().force(true).build());
            double seconds = result.elapsed().toNanos() / 1e9;
            System.out.printf(Locale.ROOT, "%-28s %7.3f s%n", "restore", seconds);
            return seconds;
        } finally {
            Files.deleteIfExists(target);
        }
    }

    private void hydrated() throws Exception {
        PagesOptions options =
                PagesOptions.builder().folder(folder).hydrate(true).build();
        try (ReplicaPages pages = ReplicaPages.open(Replicas.open(ReplicaLocation.of(url)), options)) {
            long begun = System.nanoTime();
            PageSource source = pages.newest();
            while (pages.status().hydration().fraction() < 1) {
                Thread.sleep(10);
            }
            System.out.printf(Locale.ROOT, "%-28s %7.3f s%n", "hydration", (System.nanoTime() - begun) / 1e9);
            List<Double> seconds = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                begun = System.nanoTime();
                everyPage(source);
                seconds.add((System.nanoTime() - begun) / 1e9);
            }
            System.out.printf(Locale.ROOT, "%-28s %s s%n", "all pages, hydrated", seconds);
        }
    }
}
