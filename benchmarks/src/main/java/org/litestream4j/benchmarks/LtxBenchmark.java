package org.litestream4j.benchmarks;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxMerger;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxTrailer;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * LTX files of the 4 KiB pages of a real database, in memory, on one thread. What counts is the secondary result
 * {@code MB}: 10^6 bytes of page data per second; for a merge those of the result, not of the inputs. On a machine that has
 * other work, divide it by {@code cores}, the share of a core that was left.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class LtxBenchmark {

    private static final int PAGES = 8192;
    private static final int INCREMENTS = 8;
    private static final int PAGES_OF_AN_INCREMENT = PAGES / 20;

    /** Of the files that are written and read. */
    @Param({"BLOCK", "FRAME"})
    public PageEncoding encoding = PageEncoding.BLOCK;

    private byte[][] pages = {};
    private byte[] snapshot = {};
    private final List<byte[]> increments = new ArrayList<>();

    /** Makes the database and its files. */
    @Setup
    public void create() throws Exception {
        pages = OrdersDatabase.pages(PAGES).toArray(new byte[0][]);
        snapshot = write(header(1, 1), allPages());
        Random random = new Random(1);
        for (int txid = 2; txid < 2 + INCREMENTS; txid++) {
            increments.add(write(header(txid, txid), somePages(random)));
        }
        System.out.printf("%d pages, compressed to %.1f %%%n", PAGES, 100.0 * snapshot.length / pageBytes(PAGES));
    }

    /** Pages to file. */
    @Benchmark
    public LtxTrailer encode(PageData data) throws IOException {
        try (LtxWriter writer = LtxWriter.open(OutputStream.nullOutputStream(), header(1, 1), encoding)) {
            for (int i = 0; i < PAGES; i++) {
                writer.writePage(i + 1, pages[i]);
            }
            data.add(PAGES);
            return writer.finish(0);
        }
    }

    /** File to pages, all checks included. */
    @Benchmark
    public LtxTrailer decode(PageData data) throws IOException {
        try (LtxReader reader = LtxReader.open(new ByteArrayInputStream(snapshot), "snapshot")) {
            while (reader.next()) {}
            data.add(PAGES);
            return reader.trailer();
        }
    }

    /** A snapshot and eight files of a twentieth of the pages each to one file in the block encoding. */
    @Benchmark
    public LtxTrailer merge(PageData data) throws IOException {
        List<LtxReader> inputs = new ArrayList<>();
        inputs.add(LtxReader.open(new ByteArrayInputStream(snapshot), "snapshot"));
        for (byte[] increment : increments) {
            inputs.add(LtxReader.open(new ByteArrayInputStream(increment), "increment"));
        }
        try (LtxMerger merger = LtxMerger.open(inputs)) {
            data.add(PAGES);
            return merger.writeTo(OutputStream.nullOutputStream(), PageEncoding.BLOCK);
        }
    }

    /** What of it is the checksum. */
    @Benchmark
    public long checksum(PageData data) {
        LtxChecksum checksum = new LtxChecksum();
        for (byte[] page : pages) {
            checksum.update(page, 0, page.length);
        }
        data.add(PAGES);
        return checksum.value();
    }

    private byte[] write(LtxHeader header, int[] which) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LtxWriter writer = LtxWriter.open(out, header, encoding)) {
            for (int i : which) {
                writer.writePage(i + 1, pages[i]);
            }
            writer.finish(0);
        }
        return out.toByteArray();
    }

    private static int[] allPages() {
        int[] all = new int[PAGES];
        for (int i = 0; i < PAGES; i++) {
            all[i] = i;
        }
        return all;
    }

    private static int[] somePages(Random random) {
        return random.ints(0, PAGES)
                .distinct()
                .limit(PAGES_OF_AN_INCREMENT)
                .sorted()
                .toArray();
    }

    private static LtxHeader header(long minTxid, long maxTxid) {
        return LtxHeader.of(OrdersDatabase.PAGE_SIZE, PAGES, new Txid(minTxid), new Txid(maxTxid), 0, WalRange.NONE);
    }

    private static long pageBytes(int pages) {
        return (long) pages * OrdersDatabase.PAGE_SIZE;
    }

    /** Counts page data, and the processor time that it took. */
    @State(Scope.Thread)
    @AuxCounters
    public static class PageData {

        private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

        private double megabytes;
        private long startNanos;

        /** Starts an iteration. */
        @Setup(Level.Iteration)
        public void start() {
            megabytes = 0;
            startNanos = THREADS.getCurrentThreadCpuTime();
        }

        /** Page data so far, in 10^6 bytes. */
        public double MB() {
            return megabytes;
        }

        /** Processor seconds so far; per second this is the share of a core that other programs have left to us. */
        public double cores() {
            return (THREADS.getCurrentThreadCpuTime() - startNanos) / 1e9;
        }

        void add(int pages) {
            megabytes += pageBytes(pages) / 1e6;
        }
    }
}
