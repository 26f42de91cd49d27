package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What a reader rejects in the whole of a file, and what it does then. */
class LtxRejectionTest extends LtxRejectionFixture {

    @Test
    void file_withNothingWrong_isRead() throws Exception {
        assertThat(LtxFiles.read(increment().bytes()).pages()).containsOnlyKeys(2L, 5L, 9L);
        assertThat(LtxFiles.read(snapshot().bytes()).pages()).containsOnlyKeys(1L, 2L, 3L);
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
