package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a reader rejects, one test each; the file is right in every other respect. */
class LtxRejectionTest {

    private static final int PAGE_SIZE = 512;
    private static final long CHECKSUM = LtxChecksum.STORED_BIT | 0x1234;

    private final byte[] page = new byte[PAGE_SIZE];

    LtxRejectionTest() {
        Random random = new Random(3);
        for (int i = 0; i < PAGE_SIZE; i++) {
            page[i] = (byte) random.nextInt(12);
        }
    }

    @Test
    void file_withNothingWrong_isRead() throws Exception {
        assertThat(LtxFiles.read(increment().bytes()).pages()).containsOnlyKeys(2L, 5L, 9L);
        assertThat(LtxFiles.read(snapshot().bytes()).pages()).containsOnlyKeys(1L, 2L, 3L);
    }

    @Test
    void magic_thatIsAnother_isRejected() {
        assertRejected(increment().headerInt(0, 0x4C545832), "magic", 0);
    }

    @Test
    void flags_thatAreUnknown_areRejected() {
        assertRejected(increment().headerInt(4, 3), "flags", 4);
        assertRejected(increment().headerInt(4, 0x8000_0002), "flags", 4);
    }

    @Test
    void pageSize_thatIsNoPowerOfTwoInRange_isRejected() {
        for (int size : new int[] {0, 256, 513, 131072, -512, Integer.MIN_VALUE}) {
            assertRejected(increment().headerInt(8, size), "page size", 8);
        }
    }

    @Test
    void minTxid_ofZero_isRejected() {
        assertRejected(increment().headerLong(16, 0), "min TXID", 16);
    }

    @Test
    void maxTxid_belowMin_isRejected() {
        assertRejected(increment().headerLong(24, 6), "max TXID", 24);
        assertRejected(increment().headerLong(24, 0), "max TXID", 24);
        assertRejected(increment().headerLong(16, -1L), "max TXID", 24); // unsigned
    }

    @Test
    void walOffset_negative_isRejected() {
        assertRejected(increment().headerLong(48, -1), "WAL offset", 48);
    }

    @Test
    void walSize_withoutOffsetOrNegative_isRejected() {
        assertRejected(increment().headerLong(56, 4120), "WAL size", 56);
        assertRejected(increment().headerLong(48, 32).headerLong(56, -1), "WAL size", 56);
    }

    @Test
    void walSalts_withoutOffset_areRejected() {
        assertRejected(increment().headerInt(64, 1), "WAL salts", 64);
        assertRejected(increment().headerInt(68, 1), "WAL salts", 64);
    }

    @Test
    void preApplyChecksum_inASnapshot_isRejectedWhateverTheFlag() {
        assertRejected(snapshot().headerLong(40, CHECKSUM), "pre-apply checksum", 40);
        assertRejected(checksummedSnapshot().headerLong(40, CHECKSUM), "pre-apply checksum", 40);
    }

    @Test
    void preApplyChecksum_againstTheFlag_isRejected() {
        assertRejected(increment().headerLong(40, CHECKSUM), "pre-apply checksum", 40);
    }

    @Test
    void preApplyChecksum_missingWithoutTheFlag_isRejected() {
        assertRejected(checksummedIncrement().headerLong(40, 0), "pre-apply checksum", 40);
    }

    @Test
    void preApplyChecksum_withoutItsTopBit_isRejected() {
        assertRejected(checksummedIncrement().headerLong(40, 0x1234), "pre-apply checksum", 40);
    }

    @Test
    void postApplyChecksum_againstTheFlag_isRejected() {
        RawLtx file = increment();
        file.postApply = CHECKSUM;
        assertRejected(file, "post-apply checksum", file.bytes().length - 16);
    }

    @Test
    void postApplyChecksum_missingWithoutTheFlag_isRejected() {
        RawLtx file = checksummedIncrement();
        file.postApply = 0;
        assertRejected(file, "post-apply checksum", file.bytes().length - 16);
    }

    @Test
    void postApplyChecksum_withoutItsTopBit_isRejected() {
        RawLtx file = checksummedIncrement();
        file.postApply = 0x1234;
        assertRejected(file, "post-apply checksum", file.bytes().length - 16);
    }

    @Test
    void postApplyChecksum_thatIsNotThatOfTheSnapshotsPages_isRejected() {
        RawLtx file = checksummedSnapshot();
        file.postApply ^= 1;
        assertRejected(file, "database checksum", file.bytes().length - 16);
    }

    @Test
    void pgno_ofZeroWithFlags_isRejected() {
        RawLtx file = increment();
        file.endMarker = new byte[] {0, 0, 0, 0, 0, 1};
        assertRejected(file, "end marker", file.offset(3));
    }

    @Test
    void pgno_beyondTheCommit_isRejected() {
        RawLtx file = increment().block(11, page);
        assertRejected(file, "pgno", file.offset(3));
        file = increment().block(0xFFFF_FFFFL, page);
        assertRejected(file, "pgno", file.offset(3));
    }

    @Test
    void pgno_ofTheLockPage_isRejected() {
        long lockPgno = LockPage.pgno(PAGE_SIZE);
        RawLtx file = new RawLtx(LtxFiles.header(PAGE_SIZE, lockPgno + 5, 7, 7))
                .block(1, page)
                .block(lockPgno, page)
                .block(lockPgno + 1, page);
        assertRejected(file, "lock page", file.offset(1));
    }

    @Test
    void pgno_thatDoesNotAscend_isRejected() {
        RawLtx file = increment().block(9, page);
        assertRejected(file, "pgno order", file.offset(3));
        file = increment().block(3, page);
        assertRejected(file, "pgno order", file.offset(3));
    }

    @Test
    void snapshot_withAGap_isRejected() {
        RawLtx file =
                new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4)).block(1, page).block(3, page);
        assertRejected(file, "snapshot gap", file.offset(1));
        file = new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4)).block(2, page).block(3, page);
        assertRejected(file, "snapshot gap", file.offset(0));
        file = new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4)).block(1, page).block(2, page);
        assertRejected(file, "snapshot gap", file.offset(2));
        file = new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4));
        assertRejected(file, "snapshot gap", file.offset(0));
    }

    @Test
    void pageFlags_thatAreUnknown_areRejected() {
        RawLtx file = increment();
        file.frames.add(new RawLtx.Frame(10, 2, null, new byte[20], page));
        assertRejected(file, "page flags", file.offset(3) + 4);
        file = increment();
        file.frames.add(new RawLtx.Frame(10, 0x8001, 20, new byte[20], page));
        assertRejected(file, "page flags", file.offset(3) + 4);
    }

    @Test
    void compressedSize_aboveTheBound_isRejectedBeforeAnythingIsRead() {
        for (int size : new int[] {Lz4Block.bound(PAGE_SIZE) + 1, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
            RawLtx file = increment();
            file.frames.add(new RawLtx.Frame(10, 1, size, new byte[20], page));
            assertRejected(file, "compressed size", file.offset(3) + 6);
        }
    }

    @Test
    void lz4FrameBlockSize_aboveTheBound_isRejectedBeforeAnythingIsRead() {
        for (int size : new int[] {Lz4Block.bound(PAGE_SIZE) + 1, Integer.MAX_VALUE, -1}) {
            byte[] frame = lz4Frame(size);
            RawLtx file = increment().lz4Frame(10, page, frame);
            assertRejected(file, "compressed size", file.offset(3) + 13);
        }
    }

    @Test
    void lz4Frame_ofEndlessEmptyBlocks_isRejected() {
        ByteBuffer blocks = ByteBuffer.allocate(4000).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        blocks.put(header());
        while (blocks.remaining() > 16) {
            blocks.putInt(1).put((byte) 0);
        }
        RawLtx file = increment().lz4Frame(10, page, blocks.array());

        LtxFormatException e = rejection(file.bytes());

        assertThat(e.field()).isEqualTo("compressed size");
    }

    @Test
    void block_thatIsTooShortOrTooLongForThePage_isRejected() {
        RawLtx file = increment().block(10, page, literals(new byte[PAGE_SIZE - 1]));
        assertRejected(file, "page data", file.offset(3) + 10);
        file = increment().block(10, page, literals(new byte[PAGE_SIZE + 1]));
        assertRejected(file, "page data", file.offset(3) + 10);
        file = increment().block(10, page, new byte[0]);
        assertRejected(file, "page data", file.offset(3) + 10);
    }

    /** The library writes zeros for it; other readers refuse the file. */
    @Test
    void block_withAMatchOffsetOfZero_isRejected() throws Exception {
        byte[] good = matchBlock(1, 0);
        assertThat(LtxFiles.read(
                                increment().block(10, new byte[PAGE_SIZE], good).bytes())
                        .pages())
                .containsKey(10L);

        RawLtx file = increment().block(10, new byte[PAGE_SIZE], matchBlock(0, 0));
        assertRejected(file, "page data", file.offset(3) + 10);
    }

    /** The library does not look at it; other readers refuse the file. */
    @Test
    void block_withAMatchNibbleInItsLastToken_isRejected() {
        RawLtx file = increment().block(10, new byte[PAGE_SIZE], matchBlock(1, 3));
        assertRejected(file, "page data", file.offset(3) + 10);
    }

    @Test
    void lz4Frame_withAnotherHeader_isRejected() {
        for (int at = 0; at < 7; at++) {
            byte[] frame = lz4Frame();
            frame[at] ^= 0x10;
            RawLtx file = increment().lz4Frame(10, page, frame);
            assertRejected(file, "page data", file.offset(3) + 6);
        }
    }

    @Test
    void lz4Frame_withAWrongContentChecksum_isRejected() {
        byte[] frame = lz4Frame();
        frame[frame.length - 1] ^= 1;
        RawLtx file = increment().lz4Frame(10, page, frame);
        assertRejected(file, "page data", file.offset(3) + 6);
    }

    @Test
    void lz4Frame_ofAnotherPageSize_isRejected() {
        for (int size : new int[] {PAGE_SIZE - 1, PAGE_SIZE + 1, 1}) {
            RawLtx small = new RawLtx(LtxFiles.header(PAGE_SIZE, 1, 2, 2)).lz4Frame(1, new byte[size]);
            RawLtx file = increment().lz4Frame(10, page, small.frames.get(0).data());
            assertRejected(file, "page data", file.offset(3) + 6);
        }
    }

    @Test
    void lz4Frame_withABadBlockInside_isRejected() {
        byte[] data = matchBlock(0, 0);
        ByteBuffer frame = ByteBuffer.allocate(7 + 4 + data.length + 8).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        frame.put(header()).putInt(data.length).put(data).putInt(0).putInt(0);
        RawLtx file = increment().lz4Frame(10, page, frame.array());
        assertRejected(file, "page data", file.offset(3) + 6);
    }

    @Test
    void lz4Frame_ofSeveralBlocksSomeOfThemStored_isRead() throws Exception {
        byte[] first = literals(Arrays.copyOf(page, 100));
        ByteBuffer frame = ByteBuffer.allocate(7 + 4 + first.length + 4 + PAGE_SIZE - 100 + 8)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN);
        byte[] whole = lz4Frame();
        frame.put(header()).putInt(first.length).put(first);
        frame.putInt(1 << 31 | (PAGE_SIZE - 100)).put(page, 100, PAGE_SIZE - 100);
        frame.put(whole, whole.length - 8, 8);

        byte[] file = increment().lz4Frame(10, page, frame.array()).bytes();

        assertThat(LtxFiles.read(file).pages().get(10L)).isEqualTo(page);
    }

    @Test
    void pageIndex_thatDisagreesWithTheFrames_isRejected() {
        RawLtx right = increment();
        long start = right.offset(3) + 6;
        for (int at : new int[] {0, 1, 2, 3}) {
            RawLtx file = increment();
            file.index = right.index();
            file.index[at] ^= 1;
            assertRejected(file, "page index", start + at);
        }
    }

    @Test
    void pageIndex_withAnotherNumberOfEntries_isRejected() {
        RawLtx file = increment();
        file.index = new byte[] {0};
        assertRejected(file, "page index", file.offset(3) + 6);
        file = increment();
        byte[] index = file.index();
        file.index = Arrays.copyOf(index, index.length + 3);
        file.index[index.length - 1] = 10;
        assertRejected(file, "page index", file.offset(3) + 6 + index.length - 1);
    }

    @Test
    void pageIndexSize_thatIsAnother_isRejected() {
        for (long size : new long[] {0, 1, -1, Long.MAX_VALUE}) {
            RawLtx file = increment();
            file.indexSize = size;
            assertRejected(file, "page index size", file.bytes().length - 24);
        }
    }

    @Test
    void fileChecksum_thatDoesNotMatch_isRejected() {
        RawLtx file = increment();
        file.fileChecksum = CHECKSUM;
        assertRejected(file, "file checksum", file.bytes().length - 8);
    }

    @Test
    void fileChecksum_withoutItsTopBit_isRejected() {
        byte[] bytes = increment().bytes();
        bytes[bytes.length - 8] &= 0x7F;
        assertRejected(bytes, "file checksum", bytes.length - 8);
    }

    @Test
    void reservedBytes_areIgnoredButPartOfTheChecksum() throws Exception {
        RawLtx file = increment().headerLong(92, 42);
        assertThat(LtxFiles.read(file.bytes()).pages()).hasSize(3);
        byte[] bytes = file.bytes();
        bytes[99] ^= 1;
        assertRejected(bytes, "file checksum", bytes.length - 8);
    }

    @Test
    void file_cutShort_isRejectedWhereItEnds() {
        RawLtx file = increment().lz4Frame(10, page);
        byte[] bytes = file.bytes();
        for (int length = 0; length < bytes.length; length++) {
            assertRejected(Arrays.copyOf(bytes, length), "length", length);
        }
    }

    @Test
    void bytesAfterTheTrailer_areRejected() {
        RawLtx file = increment();
        int length = file.bytes().length;
        file.after = new byte[] {0};
        assertRejected(file, "end", length);
        file.after = file.bytes();
        assertRejected(file, "end", length);
    }

    @Test
    void header_withOtherTxidsThanTheName_isRejected() throws Exception {
        byte[] bytes = increment().bytes();
        LtxFileName name = new LtxFileName(new Txid(7), new Txid(8));
        try (LtxReader reader = LtxReader.open(new ByteArrayInputStream(bytes), "x", name)) {
            assertThat(reader.header().fileName()).isEqualTo(name);
        }
        CloseRecorder in = new CloseRecorder(bytes);

        LtxFormatException e = catchThrowableOfType(
                LtxFormatException.class, () -> LtxReader.open(in, "x", LtxFileName.of(new Txid(7))));

        assertThat(e.field()).isEqualTo("file name");
        assertThat(e.offset()).isEqualTo(16);
        assertThat(in.closed).isTrue();
    }

    @Test
    void open_thatFails_closesTheInput() {
        CloseRecorder in = new CloseRecorder(new byte[10]);

        assertThatThrownBy(() -> LtxReader.open(in, "x")).isInstanceOf(LtxFormatException.class);

        assertThat(in.closed).isTrue();
    }

    @Test
    void next_afterAFailure_isRefused() throws Exception {
        RawLtx file = increment();
        file.fileChecksum = CHECKSUM;
        LtxReader reader = LtxFiles.open(file.bytes());
        assertThatThrownBy(() -> {
                    while (reader.next()) {}
                })
                .isInstanceOf(LtxFormatException.class);

        assertThatThrownBy(reader::next)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("test.ltx");
        assertThatThrownBy(reader::trailer).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void next_whenTheInputFails_throwsItsException() throws Exception {
        byte[] bytes = increment().bytes();
        LtxReader reader = LtxReader.open(
                new ByteArrayInputStream(bytes, 0, 200) {
                    @Override
                    public synchronized int read(byte[] b, int off, int len) {
                        int read = super.read(b, off, len);
                        if (read < 0) {
                            throw new java.io.UncheckedIOException(new IOException("connection reset"));
                        }
                        return read;
                    }
                },
                "x");

        assertThatThrownBy(() -> {
                    while (reader.next()) {}
                })
                .isInstanceOf(java.io.UncheckedIOException.class);
    }

    private RawLtx increment() {
        return new RawLtx(LtxFiles.header(PAGE_SIZE, 10, 7, 8))
                .block(2, page)
                .lz4Frame(5, page)
                .block(9, page);
    }

    private RawLtx snapshot() {
        return new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4))
                .block(1, page)
                .block(2, page)
                .lz4Frame(3, page);
    }

    private RawLtx checksummedIncrement() {
        RawLtx file = increment().headerInt(4, 0).headerLong(40, CHECKSUM);
        file.postApply = CHECKSUM ^ 1;
        return file;
    }

    private RawLtx checksummedSnapshot() {
        RawLtx file = snapshot().headerInt(4, 0);
        long xor = 0;
        for (long pgno : List.of(1L, 2L, 3L)) {
            xor ^= LtxChecksum.page(pgno, page);
        }
        file.postApply = LtxChecksum.database(xor);
        return file;
    }

    private byte[] lz4Frame() {
        return new RawLtx(LtxFiles.header(PAGE_SIZE, 1, 2, 2))
                .lz4Frame(1, page)
                .frames
                .get(0)
                .data();
    }

    private byte[] lz4Frame(int firstBlockSize) {
        byte[] frame = lz4Frame();
        ByteBuffer.wrap(frame).order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(7, firstBlockSize);
        return frame;
    }

    private static byte[] header() {
        return new byte[] {0x04, 0x22, 0x4D, 0x18, 0x64, 0x40, (byte) 0xA7};
    }

    /** A block of literals alone. */
    private static byte[] literals(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0xF0);
        int rest = content.length - 15;
        while (rest >= 255) {
            out.write(255);
            rest -= 255;
        }
        out.write(rest);
        out.writeBytes(content);
        return out.toByteArray();
    }

    /** A page of zeros: one literal, a match, and twelve literals at the end. */
    private static byte[] matchBlock(int offset, int lastNibble) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0x1F);
        out.write(0);
        out.write(offset);
        out.write(0);
        int rest = PAGE_SIZE - 13 - 4 - 15;
        while (rest >= 255) {
            out.write(255);
            rest -= 255;
        }
        out.write(rest);
        out.write(12 << 4 | lastNibble);
        out.writeBytes(new byte[12]);
        return out.toByteArray();
    }

    private static void assertRejected(RawLtx file, String field, long offset) {
        assertRejected(file.bytes(), field, offset);
    }

    private static void assertRejected(byte[] file, String field, long offset) {
        LtxFormatException e = rejection(file);
        assertThat(e.field()).as(e.getMessage()).isEqualTo(field);
        assertThat(e.offset()).as(e.getMessage()).isEqualTo(offset);
        assertThat(e.source()).isEqualTo("test.ltx");
        assertThat(e)
                .hasMessageContaining("test.ltx")
                .hasMessageContaining(field)
                .hasMessageContaining("" + offset);
    }

    private static LtxFormatException rejection(byte[] file) {
        LtxFormatException e = catchThrowableOfType(LtxFormatException.class, () -> LtxFiles.read(file));
        assertThat(e).as("not rejected").isNotNull();
        return e;
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
