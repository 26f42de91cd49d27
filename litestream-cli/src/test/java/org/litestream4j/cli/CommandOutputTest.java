package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Standard output whose reader has ended (a closed pipe), or whose disk is full. */
class CommandOutputTest {

    @Test
    void closedPipe_isAnErrorOfTheWriter() {
        PrintWriter out = CommandOutput.of(
                new PrintStream(new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("Broken pipe");
                    }
                }),
                false);
        out.println("row");
        assertThat(out.checkError()).isTrue();
    }

    @Test
    void rows_areNotFlushedOneByOne_exceptOnATerminal() {
        assertThat(flushes(false)).isEqualTo(1);
        assertThat(flushes(true)).isGreaterThan(99);
    }

    private static int flushes(boolean terminal) {
        int[] flushed = {0};
        PrintWriter out = CommandOutput.of(
                new PrintStream(
                        new ByteArrayOutputStream() {
                            @Override
                            public void flush() {
                                flushed[0]++;
                            }
                        },
                        false),
                terminal);
        for (int i = 0; i < 100; i++) {
            out.println("row " + i);
        }
        assertThat(out.checkError()).isFalse();
        return flushed[0];
    }

    @Test
    void text_hasTheEncodingOfTheStream() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintWriter out = CommandOutput.of(new PrintStream(bytes, false, StandardCharsets.UTF_8), false);
        out.print("漢字 ü 🎉");
        out.flush();
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("漢字 ü 🎉");
    }
}
