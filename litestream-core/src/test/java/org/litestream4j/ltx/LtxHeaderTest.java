package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LtxHeaderTest {

    @Test
    void encode_ofEveryField_hasTheLayoutOfTheFormat() throws Exception {
        LtxHeader header = new LtxHeader(
                0,
                65536,
                0xFEDCBA98L,
                new Txid(0x0102030405060708L),
                new Txid(0xF102030405060708L),
                -2,
                LtxChecksum.STORED_BIT | 5,
                new WalRange(32, 4120, 0xAABBCCDD, 0x11223344),
                9);

        byte[] bytes = LtxHeaderCodec.encode(header);

        assertThat(HexFormat.of().formatHex(bytes))
                .isEqualTo("4c545831" + "00000000" + "00010000" + "fedcba98" + "0102030405060708" + "f102030405060708"
                        + "fffffffffffffffe" + "8000000000000005" + "0000000000000020" + "0000000000001018" + "aabbccdd"
                        + "11223344" + "0000000000000009" + "00".repeat(20));
        assertThat(LtxHeader.parse(bytes, "x")).isEqualTo(header);
    }

    @Test
    void header_ofACaller_isRefusedWithFieldAndValue() {
        assertThatThrownBy(() -> LtxFiles.header(1000, 1, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("page size")
                .hasMessageContaining("1000");
        assertThatThrownBy(() -> LtxFiles.header(512, -1, 1, 1)).hasMessageContaining("commit");
        assertThatThrownBy(() -> LtxFiles.header(512, 1L << 32, 1, 1)).hasMessageContaining("commit");
        assertThatThrownBy(() -> LtxFiles.header(512, 1, 2, 1)).hasMessageContaining("max TXID");
        assertThatThrownBy(() -> new WalRange(0, 1, 0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("WAL size");
    }

    @Test
    void fileName_isThatOfItsTxids() {
        assertThat(LtxFiles.header(512, 1, 3, 0x1f).fileName()).hasToString("0000000000000003-000000000000001f.ltx");
    }

    @ParameterizedTest
    @CsvSource({"512, 2097153", "1024, 1048577", "4096, 262145", "8192, 131073", "65536, 16385"})
    void lockPage_holdsTheLockByte(int pageSize, long pgno) {
        assertThat(LockPage.pgno(pageSize)).isEqualTo(pgno);
        assertThat((pgno - 1) * pageSize).isEqualTo(0x40000000L);
    }
}
