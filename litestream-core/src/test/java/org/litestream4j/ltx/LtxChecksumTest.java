package org.litestream4j.ltx;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LtxChecksumTest {

    private static final long POLYNOMIAL = 0xD800000000000000L;

    @Test
    void value_ofTheCheckString_isTheOneOfCrc64GoIso() {
        LtxChecksum checksum = new LtxChecksum();
        byte[] bytes = "123456789".getBytes(US_ASCII);

        checksum.update(bytes, 0, bytes.length);

        assertThat(checksum.value()).isEqualTo(0xb90956c775a41001L);
        assertThat(checksum.length()).isEqualTo(9);
    }

    @Test
    void page_ofZeros_isTheOneOfTheFormat() {
        assertThat(LtxChecksum.page(1, new byte[4096])).isEqualTo(0xd9328f592d9e733dL);
    }

    @Test
    void stored_always_hasTheTopBit() {
        assertThat(new LtxChecksum().stored()).isEqualTo(LtxChecksum.STORED_BIT);
        assertThat(LtxChecksum.database(0)).isEqualTo(0x8000000000000000L);
    }

    @Property
    void update_inAnyPieces_equalsTheBitwiseModel(
            @ForAll @Size(max = 400) byte[] bytes,
            @ForAll @IntRange(max = 400) int from,
            @ForAll @IntRange(max = 400) int to) {
        int first = Math.min(Math.min(from, to), bytes.length);
        int second = Math.min(Math.max(from, to), bytes.length);
        LtxChecksum checksum = new LtxChecksum();

        checksum.update(bytes, 0, first);
        checksum.update(bytes, first, second - first);
        checksum.update(bytes, second, bytes.length - second);

        assertThat(checksum.value()).isEqualTo(model(bytes));
    }

    @Property
    void updateOfNumbers_equalsTheirBytes(@ForAll byte[] before, @ForAll int i, @ForAll long l, @ForAll short s) {
        LtxChecksum checksum = new LtxChecksum();
        checksum.update(before, 0, before.length);
        checksum.updateInt(i);
        checksum.updateLong(l);
        checksum.updateShort(s);

        byte[] all = ByteBuffer.allocate(before.length + 14)
                .put(before)
                .putInt(i)
                .putLong(l)
                .putShort(s)
                .array();
        assertThat(checksum.value()).isEqualTo(model(all));
        assertThat(checksum.length()).isEqualTo(all.length);
    }

    @Property
    void combine_ofTwoParts_equalsTheWhole(@ForAll @Size(max = 300) byte[] a, @ForAll @Size(max = 300) byte[] b) {
        byte[] whole = ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();

        assertThat(LtxChecksum.combine(model(a), model(b), b.length)).isEqualTo(model(whole));
    }

    @Property
    void append_ofAPage_equalsItsBytes(@ForAll @Size(max = 100) byte[] before, @ForAll int pgno, @ForAll long content) {
        for (int pageSize = 512; pageSize <= 65536; pageSize *= 2) {
            byte[] page = ByteBuffer.allocate(pageSize).putLong(content).array();
            LtxChecksum ofPage = new LtxChecksum();
            ofPage.update(page, 0, pageSize);
            LtxChecksum bytes = new LtxChecksum();
            bytes.update(before, 0, before.length);
            LtxChecksum shifted = new LtxChecksum();
            shifted.update(before, 0, before.length);

            bytes.update(page, 0, pageSize);
            shifted.append(ofPage, LtxChecksumShift.ofPage(pageSize));

            assertThat(shifted.value()).isEqualTo(bytes.value());
            assertThat(shifted.length()).isEqualTo(bytes.length());
            assertThat(LtxChecksum.page(pgno, ofPage, LtxChecksumShift.ofPage(pageSize)))
                    .isEqualTo(LtxChecksum.page(pgno, page));
        }
    }

    @Test
    void combine_overMoreThanFourGigabytes_equalsSteps() {
        long a = 0x123456789abcdef0L;
        long zeros = model(new byte[1 << 16]);
        long length = 1L << 16;
        for (int doubling = 0; doubling < 18; doubling++) {
            zeros = LtxChecksum.combine(zeros, zeros, length);
            length *= 2;
        }

        long atOnce = LtxChecksum.combine(a, zeros, length);
        long half = LtxChecksum.combine(0, zeros, length); // the CRC of nothing is 0

        assertThat(half).isEqualTo(zeros);
        assertThat(LtxChecksum.combine(LtxChecksum.combine(a, 0, 0), zeros, length))
                .isEqualTo(atOnce);
        assertThatThrownBy(() -> LtxChecksum.combine(a, 0, -1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void append_ofPartsComputedApart_equalsTheWhole() {
        byte[] bytes = new byte[10_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31);
        }
        LtxChecksum first = new LtxChecksum();
        first.update(bytes, 0, 3333);
        LtxChecksum second = new LtxChecksum();
        second.update(bytes, 3333, 6667);

        first.append(second);

        assertThat(first.value()).isEqualTo(model(bytes));
        assertThat(first.length()).isEqualTo(10_000);
    }

    @Test
    void update_outsideTheArray_isRefused() {
        LtxChecksum checksum = new LtxChecksum();
        assertThatThrownBy(() -> checksum.update(new byte[10], 5, 6)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> checksum.update(new byte[10], -1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> checksum.update(new byte[10], 2, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static long model(byte[] bytes) {
        long crc = -1;
        for (byte b : bytes) {
            crc ^= b & 0xFF;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) != 0 ? crc >>> 1 ^ POLYNOMIAL : crc >>> 1;
            }
        }
        return ~crc;
    }
}
