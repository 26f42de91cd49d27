package org.litestream4j.benchmarks;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.litestream4j.benchmarks.LtxBenchmark.PageData;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxMerger;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxTrailer;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Sixteen level-0 files merged into one of level 1, in memory, on one thread. Counted are the pages of the inputs; see
 * {@link LtxBenchmark} for how to read the figures.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class CompactionBenchmark {

    private static final int FILES = 16;
    private static final int PAGES = 8192;
    private static final int PAGES_OF_A_FILE = PAGES / 20;

    private final List<byte[]> files = new ArrayList<>();

    /** Each file has a twentieth of the database's pages, as inserts with random references leave them. */
    @Setup
    public void create() throws Exception {
        List<byte[]> pages = OrdersDatabase.pages(PAGES);
        Random random = new Random(1);
        for (int txid = 2; txid < 2 + FILES; txid++) {
            int[] which = random.ints(0, PAGES)
                    .distinct()
                    .limit(PAGES_OF_A_FILE)
                    .sorted()
                    .toArray();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            LtxHeader header = LtxHeader.of(
                    OrdersDatabase.PAGE_SIZE, PAGES, new Txid(txid), new Txid(txid), 0, new WalRange(32, 0, 0, 0));
            try (LtxWriter writer = LtxWriter.open(out, header, PageEncoding.BLOCK)) {
                for (int page : which) {
                    writer.writePage(page + 1, pages.get(page));
                }
                writer.finish(0);
            }
            files.add(out.toByteArray());
        }
    }

    private LtxMerger merger() throws IOException {
        List<LtxReader> inputs = new ArrayList<>();
        for (byte[] file : files) {
            inputs.add(LtxReader.open(new ByteArrayInputStream(file), "input"));
        }
        return LtxMerger.open(inputs);
    }

    /** The merge alone. */
    @Benchmark
    public LtxTrailer merge(PageData data) throws IOException {
        try (LtxMerger merger = merger()) {
            data.add(FILES * PAGES_OF_A_FILE);
            return merger.writeTo(OutputStream.nullOutputStream(), PageEncoding.BLOCK);
        }
    }

    /** As compaction does it: what is written is decoded and checked on its way. */
    @Benchmark
    public LtxTrailer mergeAndVerify(PageData data) throws IOException {
        try (LtxMerger merger = merger();
                InputStream merged = merger.stream(PageEncoding.BLOCK);
                LtxReader check = LtxReader.open(merged, "result")) {
            while (check.next()) {}
            data.add(FILES * PAGES_OF_A_FILE);
            return check.trailer();
        }
    }
}
