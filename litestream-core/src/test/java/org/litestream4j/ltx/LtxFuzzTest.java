package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Mutated files raise {@link LtxFormatException} or give the same pages; they never hang, and never make a reader allocate
 * more than its buffers and a small multiple of the input. A failure's text has the seed of its file.
 */
class LtxFuzzTest {

    /** Buffers for the largest page size, and a stack trace. */
    private static final long FIXED_ALLOCATION = 400_000;

    private static final long MULTIPLE = 4;

    private static final List<Original> ORIGINALS = new ArrayList<>();

    @BeforeAll
    static void load() throws IOException {
        for (Path path : GoldenFilesTest.files()) {
            if (Files.size(path) < 40_000) {
                byte[] file = Files.readAllBytes(path);
                ORIGINALS.add(new Original(path, file, LtxFiles.read(file).pages()));
            }
        }
        for (Original original : ORIGINALS) { // loads classes, so that they do not count
            check(original.file, original.pages, original.path.toString());
        }
        outcome(() -> readAll(new byte[3], new Comparison(new TreeMap<>())));
    }

    @Test
    @Timeout(60)
    void mutatedFiles_areRejectedOrGiveTheSamePages() throws Exception {
        for (long seed = 0; seed < 4_000; seed++) {
            fuzzGolden(seed);
            fuzzForged(seed);
        }
    }

    /** As long as {@code -Dfuzz.seconds} says. */
    @Test
    @Tag("fuzz")
    void mutatedFiles_forALongTime_areRejectedOrGiveTheSamePages() throws Exception {
        long seed = System.nanoTime();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.getLong("fuzz.seconds", 60));
        long first = seed;
        while (System.nanoTime() < end) {
            fuzzGolden(seed);
            fuzzForged(seed);
            seed++;
        }
        System.out.println("LTX fuzz: seeds " + first + " to " + (seed - 1));
    }

    private static void fuzzGolden(long seed) throws IOException {
        Random random = new Random(seed);
        Original original = ORIGINALS.get(random.nextInt(ORIGINALS.size()));
        byte[] file = original.file;
        for (int mutations = 1 + random.nextInt(6); mutations > 0; mutations--) {
            file = mutate(file, random);
        }
        check(file, original.pages, "seed " + seed + " of " + original.path);
    }

    /** All checksums are right, so that the checks behind them are reached. */
    private static void fuzzForged(long seed) throws IOException {
        Random random = new Random(~seed);
        int pageSize = 512 << random.nextInt(3);
        boolean snapshot = random.nextBoolean();
        RawLtx raw = new RawLtx(LtxFiles.header(pageSize, 12, snapshot ? 1 : 5, 9));
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno = 1; pgno <= 12; pgno++) {
            if (snapshot || random.nextBoolean()) {
                byte[] page = LtxFiles.page(pageSize, random);
                pages.put(pgno, page);
                if (random.nextBoolean()) {
                    raw.block(pgno, page);
                } else {
                    raw.lz4Frame(pgno, page);
                }
            }
        }
        for (int mutations = 1 + random.nextInt(2); mutations > 0; mutations--) {
            mutate(raw, random);
        }
        check(raw.bytes(), pages, "forged from seed " + seed);
    }

    private static void check(byte[] file, SortedMap<Long, byte[]> pages, String what) throws IOException {
        Comparison read = new Comparison(pages);
        assertSame(() -> readAll(file, read), file, read, what + ", read");
        Comparison decoded = new Comparison(pages);
        assertSame(() -> decodeAll(file, decoded), file, decoded, what + ", decoded by the index");
        Comparison merged = new Comparison(pages);
        assertSame(() -> merge(file, merged), file, merged, what + ", merged");
    }

    private static void assertSame(Allocations.Step step, byte[] file, Comparison comparison, String what)
            throws IOException {
        boolean[] accepted = new boolean[1];
        long allocated = Allocations.of(() -> accepted[0] = outcome(step));
        if (allocated >= FIXED_ALLOCATION + MULTIPLE * file.length) {
            throw new AssertionError(what + ": allocated " + allocated + " for " + file.length + " bytes");
        }
        if (accepted[0]) {
            assertThat(comparison.difference()).as(what).isEmpty();
        }
    }

    /** Whether the file was read to its verified end. */
    private static boolean outcome(Allocations.Step step) throws IOException {
        try {
            step.run();
            return true;
        } catch (LtxFormatException e) {
            return false;
        }
    }

    private static void readAll(byte[] file, Comparison comparison) throws IOException {
        try (LtxReader reader = LtxFiles.open(file)) {
            while (reader.next()) {
                comparison.add(reader.pgno(), reader.page());
            }
        }
    }

    private static void decodeAll(byte[] file, Comparison comparison) throws IOException {
        LtxHeader header = LtxHeader.parse(Arrays.copyOf(file, Math.min(file.length, LtxHeader.SIZE)), "x");
        LtxPageIndex index = LtxPageIndex.parse(file, file.length, header, "x");
        LtxPageDecoder decoder = new LtxPageDecoder(header, "x");
        decoder.checksum().update(file, 0, LtxHeader.SIZE);
        for (int i = 0; i < index.size(); i++) {
            decoder.decode(file, (int) index.offset(i), index.frameSize(i), index.offset(i));
            comparison.add(decoder.pgno(), decoder.page());
        }
        index.verify(decoder.checksum());
    }

    private static void merge(byte[] file, Comparison comparison) throws IOException {
        LtxReader input = LtxReader.open(new ByteArrayInputStream(file), "test.ltx");
        try (LtxMerger merger = LtxMerger.open(List.of(input))) {
            while (merger.next()) {
                comparison.add(merger.pgno(), merger.page());
            }
        }
    }

    private static byte[] mutate(byte[] file, Random random) {
        int length = file.length;
        if (length == 0) {
            return file;
        }
        int at = random.nextInt(length);
        int count = Math.min(1 + random.nextInt(random.nextBoolean() ? 8 : 200), length - at);
        byte[] changed = file.clone();
        switch (random.nextInt(7)) {
            case 0 -> changed[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> changed[at] = (byte) random.nextInt();
            case 2 -> Arrays.fill(changed, at, at + count, (byte) (random.nextBoolean() ? 0 : -1));
            case 3 -> System.arraycopy(file, random.nextInt(length - count + 1), changed, at, count);
            case 4 -> changed = Arrays.copyOf(file, at);
            case 5 -> {
                changed = Arrays.copyOf(file, length + count); // some bytes twice
                System.arraycopy(file, at, changed, at + count, length - at);
            }
            default -> {
                changed = Arrays.copyOf(file, length - count); // some bytes missing
                System.arraycopy(file, at + count, changed, at, length - at - count);
            }
        }
        return changed;
    }

    private static void mutate(RawLtx raw, Random random) {
        if (random.nextInt(4) == 0 || raw.frames.isEmpty()) {
            raw.header[random.nextInt(raw.header.length)] ^= (byte) (1 << random.nextInt(8));
            return;
        }
        int at = random.nextInt(raw.frames.size());
        RawLtx.Frame frame = raw.frames.get(at);
        byte[] data = frame.data().clone();
        switch (random.nextInt(5)) {
            case 0, 1 -> {
                data = mutate(data, random);
                raw.frames.set(
                        at,
                        new RawLtx.Frame(
                                frame.pgno(),
                                frame.flags(),
                                frame.sizeField() == null ? null : Integer.valueOf(data.length),
                                data,
                                frame.page()));
            }
            case 2 ->
                raw.frames.set(at, new RawLtx.Frame(frame.pgno(), frame.flags(), random.nextInt(), data, frame.page()));
            case 3 -> raw.index = mutate(raw.index(), random);
            default -> raw.indexSize = random.nextLong() >> random.nextInt(64);
        }
    }

    /** Whether pages come as expected; keeps none. */
    private static final class Comparison {
        private final SortedMap<Long, byte[]> expected;
        private int seen;
        private long firstDifferent;

        Comparison(SortedMap<Long, byte[]> expected) {
            this.expected = expected;
        }

        void add(long pgno, byte[] page) {
            seen++;
            if (firstDifferent == 0 && !Arrays.equals(page, expected.get(pgno))) {
                firstDifferent = pgno;
            }
        }

        String difference() {
            if (firstDifferent != 0) {
                return "page " + firstDifferent + " is another";
            }
            return seen == expected.size() ? "" : seen + " pages instead of " + expected.size();
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Original(Path path, byte[] file, SortedMap<Long, byte[]> pages) {}
}
