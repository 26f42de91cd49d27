package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class LtxMergerTest {

    private static final long CHECKSUM = LtxChecksum.STORED_BIT | 0x99;

    /** A database that grows and shrinks, around its lock page if it is near; each file as a level-0 writer makes it. */
    @Property(tries = 100)
    void merge_ofAnyHistory_equalsTheModel(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 12) int fileCount,
            @ForAll boolean fromTheStart,
            @ForAll boolean nearTheLockPage)
            throws IOException {
        Random random = new Random(seed);
        int pageSize = nearTheLockPage ? (random.nextInt(5) > 0 ? 512 : 65536) : 512 << random.nextInt(4);
        long base = nearTheLockPage && !fromTheStart ? LockPage.pgno(pageSize) - 4 : 0;
        long lockPgno = LockPage.pgno(pageSize);
        long txid = fromTheStart ? 1 : 2 + random.nextInt(50);
        long firstTxid = txid;
        long commit = 0;
        SortedMap<Long, byte[]> model = new TreeMap<>();
        List<byte[]> files = new ArrayList<>();
        for (int i = 0; i < fileCount; i++) {
            long newCommit = base + random.nextInt(12);
            SortedMap<Long, byte[]> pages = new TreeMap<>();
            for (long pgno = Math.max(1, base - 2); pgno <= newCommit; pgno++) {
                boolean grown = i > 0 && pgno > commit;
                boolean needed = grown || (i == 0 && fromTheStart) || random.nextInt(3) == 0;
                if (needed && pgno != lockPgno) {
                    pages.put(pgno, LtxFiles.page(pageSize, random));
                }
            }
            long maxTxid = txid + random.nextInt(3);
            PageEncoding encoding = random.nextBoolean() ? PageEncoding.BLOCK : PageEncoding.FRAME;
            files.add(LtxFiles.write(LtxFiles.header(pageSize, newCommit, txid, maxTxid), pages, encoding));
            model.putAll(pages);
            model.tailMap(newCommit + 1).clear();
            commit = newCommit;
            txid = maxTxid + 1;
        }
        LtxHeader expected = LtxFiles.header(pageSize, commit, firstTxid, txid - 1);

        for (PageEncoding encoding : PageEncoding.values()) {
            LtxFiles.Content merged = LtxFiles.read(LtxFiles.merge(files, encoding));
            assertThat(merged.header()).isEqualTo(expected);
            assertThat(merged.pages()).containsExactlyEntriesOf(model);
        }
        SortedMap<Long, byte[]> found = new TreeMap<>();
        try (LtxMerger merger = LtxFiles.merger(files)) {
            assertThat(merger.header()).isEqualTo(expected);
            while (merger.next()) {
                found.put(merger.pgno(), merger.page().clone());
            }
            assertThat(merger.next()).isFalse();
        }
        assertThat(found).containsExactlyEntriesOf(model);
    }

    @Property(tries = 100)
    void merge_ofMergedFiles_equalsTheMergeOfAll(@ForAll long seed, @ForAll @IntRange(min = 2, max = 9) int count)
            throws IOException {
        Random random = new Random(seed);
        List<byte[]> files = new ArrayList<>();
        long commit = 0;
        for (int i = 0; i < count; i++) {
            long newCommit = random.nextInt(10);
            SortedMap<Long, byte[]> pages = new TreeMap<>();
            for (long pgno = 1; pgno <= newCommit; pgno++) {
                if (pgno > commit || random.nextBoolean()) {
                    pages.put(pgno, LtxFiles.page(512, random));
                }
            }
            files.add(LtxFiles.write(LtxFiles.header(512, newCommit, i + 1, i + 1), pages, PageEncoding.BLOCK));
            commit = newCommit;
        }
        int cut = 1 + random.nextInt(count - 1);

        byte[] inSteps = LtxFiles.merge(
                List.of(
                        LtxFiles.merge(files.subList(0, cut), PageEncoding.BLOCK),
                        LtxFiles.merge(files.subList(cut, count), PageEncoding.BLOCK)),
                PageEncoding.BLOCK);

        assertThat(inSteps).isEqualTo(LtxFiles.merge(files, PageEncoding.BLOCK));
    }

    @Test
    void writeTo_inTheEncodingOfTheInput_copiesTheCompressedBytes() throws Exception {
        // Literals alone: an encoding that no compressor of ours would choose.
        byte[] page = new byte[512];
        byte[] literals = new byte[2 + 2 + 512];
        literals[0] = (byte) 0xF0;
        literals[1] = (byte) 255;
        literals[2] = (byte) (512 - 15 - 255);
        byte[] block = Arrays.copyOf(literals, 3 + 512);
        byte[] file =
                new RawLtx(LtxFiles.header(512, 9, 4, 6)).block(3, page, block).bytes();

        assertThat(LtxFiles.merge(List.of(file), PageEncoding.BLOCK)).isEqualTo(file);
        assertThat(LtxFiles.merge(List.of(file), PageEncoding.FRAME))
                .isEqualTo(new RawLtx(LtxFiles.header(512, 9, 4, 6))
                        .lz4Frame(3, page)
                        .bytes());
    }

    @Test
    void merge_ofOverlappingFiles_takesTheNewer() throws Exception {
        byte[] old = file(1, 5, 1, 2);
        byte[] snapshotOfAll = file(1, 9, 1, 2);

        LtxFiles.Content merged = LtxFiles.read(LtxFiles.merge(List.of(old, snapshotOfAll), PageEncoding.BLOCK));

        assertThat(merged.header().fileName()).hasToString("0000000000000001-0000000000000009.ltx");
        assertThat(merged.pages().get(1L)[0]).isEqualTo((byte) 9);
    }

    @Test
    void open_ofFilesThatDoNotFollow_isRejectedAndClosesThem() throws Exception {
        List<CloseRecorder> recorders = new ArrayList<>();
        for (List<byte[]> files : List.of(
                List.of(file(2, 3, 1), file(5, 5, 1)),
                List.of(file(2, 3, 1), file(3, 3, 1)),
                List.of(file(4, 4, 1), file(2, 3, 1)))) {
            List<LtxReader> inputs = new ArrayList<>();
            for (byte[] file : files) {
                CloseRecorder in = new CloseRecorder(file);
                recorders.add(in);
                inputs.add(LtxReader.open(in, "input-" + inputs.size()));
            }

            LtxFormatException e = catchThrowableOfType(LtxFormatException.class, () -> LtxMerger.open(inputs));

            assertThat(e.field()).isEqualTo("contiguity");
            assertThat(e.source()).isEqualTo("input-1");
            assertThat(e).hasMessageContaining("input-0");
        }
        assertThat(recorders).hasSize(6).allMatch(in -> in.closed);
    }

    @Test
    void open_ofDifferentPageSizes_isRejected() throws Exception {
        byte[] other = LtxFiles.write(LtxFiles.header(1024, 3, 4, 4), new TreeMap<>(), PageEncoding.BLOCK);

        LtxFormatException e =
                catchThrowableOfType(LtxFormatException.class, () -> LtxFiles.merger(List.of(file(2, 3, 1), other)));

        assertThat(e.field()).isEqualTo("page size");
        assertThat(e.source()).isEqualTo("input-1");
    }

    @Test
    void open_ofNothing_isRefused() {
        assertThatThrownBy(() -> LtxMerger.open(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void merge_fromTheStartThatLacksAPage_isRejected() throws Exception {
        // Grown from 2 to 5 pages without page 4.
        byte[] first = file(1, 1, 1, 2);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        pages.put(3L, new byte[512]);
        pages.put(5L, new byte[512]);
        byte[] second = LtxFiles.write(LtxFiles.header(512, 5, 2, 2), pages, PageEncoding.BLOCK);
        byte[] end = LtxFiles.write(LtxFiles.header(512, 6, 3, 3), new TreeMap<>(), PageEncoding.BLOCK);

        for (List<byte[]> files :
                List.of(List.of(first, second), List.of(first, end(first, 2)), List.of(first, second, end))) {
            LtxFormatException e =
                    catchThrowableOfType(LtxFormatException.class, () -> LtxFiles.merge(files, PageEncoding.BLOCK));
            assertThat(e.field()).isEqualTo("snapshot gap");
            assertThat(e.source()).contains("input-0");
        }
    }

    @Test
    void merge_ofADamagedInputOfWhichNothingIsUsed_isRejected() throws Exception {
        byte[] first = file(1, 1, 1, 2, 3);
        byte[] second = file(2, 2, 1, 2, 3);
        first[first.length - 1] ^= 1;

        LtxFormatException e = catchThrowableOfType(
                LtxFormatException.class, () -> LtxFiles.merge(List.of(first, second), PageEncoding.BLOCK));

        assertThat(e.field()).isEqualTo("file checksum");
        assertThat(e.source()).isEqualTo("input-0");
    }

    @Test
    void merge_ofADamagedPageBeyondTheCommit_isRejected() throws Exception {
        byte[] first = file(1, 1, 1, 2, 3);
        byte[] second = LtxFiles.write(LtxFiles.header(512, 1, 2, 2), new TreeMap<>(), PageEncoding.BLOCK);
        LtxPageIndex index = LtxPageIndex.parse(first, first.length, LtxFiles.header(512, 3, 1, 1), "x");
        first[(int) index.offset(2) + 11] ^= 0x40;

        assertThatThrownBy(() -> LtxFiles.merge(List.of(first, second), PageEncoding.BLOCK))
                .isInstanceOf(LtxFormatException.class);
    }

    @Test
    void next_afterAFailure_isRefused() throws Exception {
        byte[] first = file(1, 1, 1, 2, 3);
        byte[] second = new RawLtx(LtxFiles.header(512, 3, 2, 2))
                .block(4, new byte[512])
                .bytes();
        try (LtxMerger merger = LtxFiles.merger(List.of(second, file(3, 3, 1)))) {
            assertThatThrownBy(merger::next).isInstanceOf(LtxFormatException.class);
            assertThatThrownBy(merger::next).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(merger::page).isInstanceOf(IllegalStateException.class);
        }
        try (LtxMerger merger = LtxFiles.merger(List.of(first))) {
            merger.next();
            assertThatThrownBy(() -> merger.writeTo(OutputStream.nullOutputStream(), PageEncoding.BLOCK))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void close_whenOneInputFails_closesAllAndThrows() throws Exception {
        CloseRecorder good = new CloseRecorder(file(3, 3, 1));
        LtxMerger merger = LtxMerger.open(List.of(
                LtxReader.open(
                        new ByteArrayInputStream(file(2, 2, 1)) {
                            @Override
                            public void close() throws IOException {
                                throw new IOException("no");
                            }
                        },
                        "bad"),
                LtxReader.open(good, "good")));

        assertThatThrownBy(merger::close).isInstanceOf(IOException.class).hasMessage("no");

        assertThat(good.closed).isTrue();
    }

    @Test
    void merge_ofFilesWithChecksumsThatFollow_carriesNone() throws Exception {
        List<byte[]> files = new ArrayList<>();
        for (String name : List.of("snapshot", "increment", "shrink")) {
            files.add(
                    Files.readAllBytes(GoldenFilesTest.FIXTURES.resolve("ltx-files/" + name + "-checksummed-512.ltx")));
        }

        LtxFiles.Content merged = LtxFiles.read(LtxFiles.merge(files, PageEncoding.BLOCK));

        assertThat(merged.header().flags()).isEqualTo(LtxHeader.NO_CHECKSUM);
        assertThat(merged.trailer().postApplyChecksum()).isZero();
        assertThat(merged.header().commit()).isEqualTo(3);
        // Its pages have the database checksum that the last input promises.
        long xor = 0;
        for (var page : merged.pages().entrySet()) {
            xor ^= LtxChecksum.page(page.getKey(), page.getValue());
        }
        assertThat(LtxChecksum.database(xor))
                .isEqualTo(LtxFiles.read(files.get(2)).trailer().postApplyChecksum());
    }

    @Test
    void merge_ofFilesWithChecksumsThatDoNotFollow_isRejected() throws Exception {
        byte[] first = checksummed(2, CHECKSUM, CHECKSUM ^ 1);
        byte[] second = checksummed(3, CHECKSUM ^ 2, CHECKSUM);

        LtxFormatException e = catchThrowableOfType(
                LtxFormatException.class, () -> LtxFiles.merge(List.of(first, second), PageEncoding.BLOCK));

        assertThat(e.field()).isEqualTo("checksum chain");
        assertThat(e.offset()).isEqualTo(40);
        assertThat(e.source()).isEqualTo("input-1");
        assertThat(LtxFiles.merge(List.of(first, checksummed(3, CHECKSUM ^ 1, CHECKSUM)), PageEncoding.BLOCK))
                .isNotEmpty();
    }

    @Test
    void merge_whereOnlyOneFileHasChecksums_isAccepted() throws Exception {
        byte[] plain = file(4, 4, 1);

        assertThat(LtxFiles.merge(
                        List.of(checksummed(3, CHECKSUM, CHECKSUM), plain, checksummed(5, CHECKSUM, CHECKSUM)),
                        PageEncoding.BLOCK))
                .isNotEmpty();
    }

    @Test
    void merge_ofAnEmptyDatabase_hasNoPages() throws Exception {
        byte[] empty = LtxFiles.write(LtxFiles.header(512, 0, 2, 2), new TreeMap<>(), PageEncoding.BLOCK);

        LtxFiles.Content merged = LtxFiles.read(LtxFiles.merge(List.of(file(1, 1, 1, 2), empty), PageEncoding.FRAME));

        assertThat(merged.pages()).isEmpty();
        assertThat(merged.header().commit()).isZero();
    }

    private static byte[] end(byte[] first, long minTxid) throws IOException {
        long commit = LtxFiles.read(first).header().commit() + 1;
        return LtxFiles.write(LtxFiles.header(512, commit, minTxid, minTxid), new TreeMap<>(), PageEncoding.BLOCK);
    }

    /** The last of the pages is the commit. */
    private static byte[] file(long minTxid, long maxTxid, long... pgnos) throws IOException {
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno : pgnos) {
            byte[] page = new byte[512];
            page[0] = (byte) maxTxid;
            pages.put(pgno, page);
        }
        return LtxFiles.write(LtxFiles.header(512, pages.lastKey(), minTxid, maxTxid), pages, PageEncoding.BLOCK);
    }

    private static byte[] checksummed(long txid, long preApply, long postApply) throws IOException {
        LtxHeader header = new LtxHeader(0, 512, 4, new Txid(txid), new Txid(txid), 0, preApply, WalRange.NONE, 0);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        pages.put(txid % 4 + 1, new byte[512]);
        return LtxFiles.write(header, pages, PageEncoding.FRAME, postApply);
    }

    private static final class CloseRecorder extends ByteArrayInputStream {
        private boolean closed;

        CloseRecorder(byte[] bytes) {
            super(bytes);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
