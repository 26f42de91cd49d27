package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class LtxPageIndexTest {

    private static final int PAGE_SIZE = 512;

    private final byte[] page = LtxFiles.page(PAGE_SIZE, new Random(7));
    private final LtxHeader header = LtxFiles.header(PAGE_SIZE, 1000, 7, 8);

    @Test
    void indexBeyond32KiB_needsASecondRead() throws Exception {
        TreeMap<Long, byte[]> pages = new TreeMap<>();
        Random random = new Random(8);
        for (long pgno = 1; pgno <= 6000; pgno++) {
            pages.put(pgno, LtxFiles.page(PAGE_SIZE, random));
        }
        LtxHeader snapshot = LtxFiles.header(PAGE_SIZE, 6000, 1, 8);
        byte[] file = LtxFiles.write(snapshot, pages, PageEncoding.BLOCK);
        byte[] end = suffix(file, 32 << 10);

        long needed = LtxPageIndex.suffixSize(end, file.length, snapshot, "x");

        assertThat(needed).isGreaterThan(32 << 10);
        assertThatThrownBy(() -> LtxPageIndex.parse(end, file.length, snapshot, "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("" + needed);
        LtxPageIndex index = LtxPageIndex.parse(suffix(file, (int) needed), file.length, snapshot, "x");
        assertThat(index.size()).isEqualTo(6000);
        assertThat(index.pgno(5999)).isEqualTo(6000);
        assertThat(LtxFiles.read(file).pages()).hasSize(6000);
    }

    @Test
    void parts_decodedBySeveralThreads_giveThePagesAndVerifyTheFile() throws Exception {
        RawLtx raw = new RawLtx(header);
        for (long pgno = 1; pgno <= 100; pgno += 3) {
            byte[] content = LtxFiles.page(PAGE_SIZE, new Random(pgno));
            if (pgno % 2 == 0) {
                raw.block(pgno, content);
            } else {
                raw.lz4Frame(pgno, content);
            }
        }
        byte[] file = raw.bytes();
        LtxPageIndex index = LtxPageIndex.parse(file, file.length, header, "x");
        List<CompletableFuture<LtxChecksum>> parts = new ArrayList<>();
        for (int first = 0; first < index.size(); first += 10) {
            int from = first;
            int to = Math.min(first + 10, index.size());
            parts.add(CompletableFuture.supplyAsync(() -> decode(file, index, from, to)));
        }
        LtxChecksum whole = new LtxChecksum();
        whole.update(file, 0, LtxHeader.SIZE);
        for (CompletableFuture<LtxChecksum> part : parts) {
            whole.append(part.get());
        }

        index.verify(whole);

        whole.updateInt(0);
        LtxFormatException e = catchThrowableOfType(LtxFormatException.class, () -> index.verify(whole));
        assertThat(e.field()).isEqualTo("file checksum");
    }

    private LtxChecksum decode(byte[] file, LtxPageIndex index, int from, int to) {
        LtxPageDecoder decoder = new LtxPageDecoder(header, "x");
        try {
            for (int i = from; i < to; i++) {
                decoder.decode(file, (int) index.offset(i), index.frameSize(i), index.offset(i));
                assertThat(decoder.pgno()).isEqualTo(index.pgno(i));
                assertThat(decoder.page()).isEqualTo(LtxFiles.page(PAGE_SIZE, new Random(index.pgno(i))));
            }
        } catch (LtxFormatException e) {
            throw new AssertionError(e);
        }
        return decoder.checksum();
    }

    @Test
    void find_givesTheEntryOrNothing() throws Exception {
        byte[] file = file().bytes();
        LtxPageIndex index = LtxPageIndex.parse(file, file.length, header, "x");

        assertThat(index.find(2)).isEqualTo(0);
        assertThat(index.find(900)).isEqualTo(2);
        assertThat(index.find(1)).isEqualTo(-1);
        assertThat(index.find(6)).isEqualTo(-1);
        assertThat(index.find(901)).isEqualTo(-1);
    }

    @Test
    void find_ofPagesBeyondTwoBillion_isUnsigned() throws Exception {
        LtxHeader large = LtxFiles.header(PAGE_SIZE, 0xFFFF_FFFFL, 7, 8);
        byte[] file = new RawLtx(large)
                .block(5, page)
                .block(0x9000_0000L, page)
                .block(0xFFFF_FFFFL, page)
                .bytes();

        LtxPageIndex index = LtxPageIndex.parse(file, file.length, large, "x");

        assertThat(index.find(0x9000_0000L)).isEqualTo(1);
        assertThat(index.find(0xFFFF_FFFFL)).isEqualTo(2);
        assertThat(LtxFiles.read(file).pages()).containsOnlyKeys(5L, 0x9000_0000L, 0xFFFF_FFFFL);
    }

    @Test
    void fileTooShort_isRejected() {
        LtxFormatException e = catchThrowableOfType(
                LtxFormatException.class, () -> LtxPageIndex.suffixSize(new byte[130], 130, header, "x"));
        assertThat(e.field()).isEqualTo("length");
        assertThatThrownBy(() -> LtxPageIndex.suffixSize(new byte[23], 1000, header, "x"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LtxPageIndex.suffixSize(new byte[200], 190, header, "x"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void indexSize_thatDoesNotFitIntoTheFile_isRejected() {
        for (long size : new long[] {0, -1, Long.MIN_VALUE, 5000, 1L << 40}) {
            RawLtx file = file();
            file.indexSize = size;
            assertRejected(file, "page index size");
        }
    }

    @Test
    void indexSize_ofMoreEntriesThanPages_isRejectedBeforeItIsRead() {
        byte[] end = new byte[LtxPageIndex.END_SIZE];
        ByteBuffer.wrap(end).putLong(0, 30_002);
        LtxFormatException e = catchThrowableOfType(
                LtxFormatException.class, () -> LtxPageIndex.suffixSize(end, 1L << 30, header, "x"));
        assertThat(e.field()).isEqualTo("page index size");
        assertThat(e).hasMessageContaining("30001 bytes at most");
    }

    @Test
    void entries_thatAreNotTheFrames_areRejected() {
        assertIndexRejected(index(2, 101, 50)); // not at the first frame
        assertIndexRejected(index(2, 100, file().frames.get(0).size() + 1)); // then the next one is elsewhere
        assertIndexRejected(index(2, 100, 5)); // smaller than a frame
        assertIndexRejected(index(2, 100, 1L << 33));
        assertIndexRejected(new byte[] {0}); // none at all, but there are frames
        RawLtx file = file();
        byte[] right = file.index();
        assertIndexRejected(Arrays.copyOf(right, right.length + 1)); // something after the end mark
        assertIndexRejected(Arrays.copyOf(right, right.length - 1)); // no end mark
        byte[] endMarkInside = right.clone();
        endMarkInside[0] = 0;
        assertIndexRejected(endMarkInside);
    }

    @Test
    void varints_thatAreNotMinimalOrTooLong_areRejected() {
        RawLtx file = file();
        byte[] right = file.index();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0x80 | 2);
        out.write(0);
        out.write(right, 1, right.length - 1);
        assertIndexRejected(out.toByteArray());
        byte[] endless = new byte[30];
        Arrays.fill(endless, (byte) 0x81);
        assertIndexRejected(endless);
        endless[15] = 0;
        assertIndexRejected(endless);
    }

    @Test
    void pages_thatTheFileCannotHold_areRejected() {
        assertRejected(new RawLtx(header).block(1001, page), "pgno");
        assertRejected(new RawLtx(header).block(5, page).block(5, page), "page index");
        long lockPgno = LockPage.pgno(PAGE_SIZE);
        LtxHeader large = LtxFiles.header(PAGE_SIZE, lockPgno + 1, 7, 8);
        byte[] file = new RawLtx(large).block(lockPgno, page).bytes();
        LtxFormatException e =
                catchThrowableOfType(LtxFormatException.class, () -> LtxPageIndex.parse(file, file.length, large, "x"));
        assertThat(e.field()).isEqualTo("lock page");
    }

    @Test
    void snapshot_withAGap_isRejected() {
        LtxHeader snapshot = LtxFiles.header(PAGE_SIZE, 3, 1, 8);
        for (RawLtx file : List.of(
                new RawLtx(snapshot).block(1, page).block(3, page),
                new RawLtx(snapshot).block(2, page).block(3, page),
                new RawLtx(snapshot).block(1, page).block(2, page))) {
            byte[] bytes = file.bytes();
            LtxFormatException e = catchThrowableOfType(
                    LtxFormatException.class, () -> LtxPageIndex.parse(bytes, bytes.length, snapshot, "x"));
            assertThat(e.field()).isEqualTo("page index");
        }
    }

    @Test
    void decode_ofBytesThatAreNotOneFrame_isRejected() throws Exception {
        LtxPageDecoder decoder = new LtxPageDecoder(header, "x");
        byte[] file = file().bytes();
        int size = file().frames.get(0).size();
        decoder.decode(file, 100, size, 100);
        for (int wrong : new int[] {0, 5, 6, 9, 10, size - 1, size + 1}) {
            assertThatThrownBy(() -> decoder.decode(file, 100, wrong, 100))
                    .isInstanceOf(LtxFormatException.class)
                    .hasMessageContaining("LTX file x at offset");
        }
        assertThatThrownBy(() -> decoder.decode(file, file.length - 3, 6, 100))
                .isInstanceOf(IndexOutOfBoundsException.class);
        byte[] frames = new RawLtx(header).lz4Frame(3, page).bytes();
        int frameSize = new RawLtx(header).lz4Frame(3, page).frames.get(0).size();
        decoder.decode(frames, 100, frameSize, 100);
        for (int wrong : new int[] {6, 13, frameSize - 1, frameSize + 1}) {
            assertThatThrownBy(() -> decoder.decode(frames, 100, wrong, 100)).isInstanceOf(LtxFormatException.class);
        }
    }

    private RawLtx file() {
        return new RawLtx(header).block(2, page).lz4Frame(5, page).block(900, page);
    }

    private static byte[] index(long... values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long value : values) {
            RawLtx.varint(out, value);
        }
        out.write(0);
        return out.toByteArray();
    }

    private void assertIndexRejected(byte[] index) {
        RawLtx file = file();
        file.index = index;
        assertRejected(file, "page index");
    }

    private void assertRejected(RawLtx file, String field) {
        byte[] bytes = file.bytes();
        LtxFormatException e = catchThrowableOfType(
                LtxFormatException.class, () -> LtxPageIndex.parse(bytes, bytes.length, header, "x"));
        assertThat(e).as("not rejected").isNotNull();
        assertThat(e.field()).as(e.getMessage()).isEqualTo(field);
    }

    private static byte[] suffix(byte[] file, int size) {
        return Arrays.copyOfRange(file, file.length - size, file.length);
    }
}
