package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartBufferTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 65_535, 65_536, 65_537, 131_072, 200_000})
    void append_piecesOfAnySize_areReadBackAsOften(int capacity) throws Exception {
        Random random = new Random(capacity);
        byte[] content = new byte[capacity + 10];
        random.nextBytes(content);
        PartBuffer buffer = new PartBuffer(capacity);
        int written = 0;
        while (!buffer.isFull()) {
            int piece = Math.min(1 + random.nextInt(70_000), content.length - written);
            written += buffer.append(content, written, piece);
        }
        assertThat(written).isEqualTo(capacity);
        assertThat(buffer.append(content, 0, 1)).isZero();
        byte[] expected = Arrays.copyOf(content, capacity);
        for (int attempt = 0; attempt < 2; attempt++) {
            try (InputStream in = buffer.open()) {
                assertThat(in.read()).isEqualTo(expected[0] & 0xFF);
                assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(expected, 1, capacity));
                assertThat(in.read()).isEqualTo(-1);
            }
        }
    }
}
