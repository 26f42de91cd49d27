package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What a reader rejects in the compressed content of a page, one test each; the file is right in every other respect. */
class LtxCompressionRejectionTest extends LtxRejectionFixture {

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
}
