package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Random;

/** Files that are right in every respect, for a test to make one thing wrong. */
abstract class LtxRejectionFixture {

    static final int PAGE_SIZE = 512;

    static final long CHECKSUM = LtxChecksum.STORED_BIT | 0x1234;

    final byte[] page = new byte[PAGE_SIZE];

    LtxRejectionFixture() {
        Random random = new Random(3);
        for (int i = 0; i < PAGE_SIZE; i++) {
            page[i] = (byte) random.nextInt(12);
        }
    }

    RawLtx increment() {
        return new RawLtx(LtxFiles.header(PAGE_SIZE, 10, 7, 8))
                .block(2, page)
                .lz4Frame(5, page)
                .block(9, page);
    }

    RawLtx snapshot() {
        return new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4))
                .block(1, page)
                .block(2, page)
                .lz4Frame(3, page);
    }

    RawLtx checksummedIncrement() {
        RawLtx file = increment().headerInt(4, 0).headerLong(40, CHECKSUM);
        file.postApply = CHECKSUM ^ 1;
        return file;
    }

    RawLtx checksummedSnapshot() {
        RawLtx file = snapshot().headerInt(4, 0);
        long xor = 0;
        for (long pgno : List.of(1L, 2L, 3L)) {
            xor ^= LtxChecksum.page(pgno, page);
        }
        file.postApply = LtxChecksum.database(xor);
        return file;
    }

    static void assertRejected(RawLtx file, String field, long offset) {
        assertRejected(file.bytes(), field, offset);
    }

    static void assertRejected(byte[] file, String field, long offset) {
        LtxFormatException e = rejection(file);
        assertThat(e.field()).as(e.getMessage()).isEqualTo(field);
        assertThat(e.offset()).as(e.getMessage()).isEqualTo(offset);
        assertThat(e.source()).isEqualTo("test.ltx");
        assertThat(e)
                .hasMessageContaining("test.ltx")
                .hasMessageContaining(field)
                .hasMessageContaining("" + offset);
    }

    static LtxFormatException rejection(byte[] file) {
        LtxFormatException e = catchThrowableOfType(LtxFormatException.class, () -> LtxFiles.read(file));
        assertThat(e).as("not rejected").isNotNull();
        return e;
    }
}
