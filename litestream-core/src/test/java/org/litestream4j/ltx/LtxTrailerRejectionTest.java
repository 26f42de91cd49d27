package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What a reader rejects in the page index and the trailer, one test each; the file is right in every other respect. */
class LtxTrailerRejectionTest extends LtxRejectionFixture {

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
}
