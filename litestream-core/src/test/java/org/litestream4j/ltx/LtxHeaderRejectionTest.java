package org.litestream4j.ltx;

import org.junit.jupiter.api.Test;

/** What a reader rejects in the header, one test each; the file is right in every other respect. */
class LtxHeaderRejectionTest extends LtxRejectionFixture {

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
}
