package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bound on the requests and the time of one read, by a clock that only pauses and requests advance. */
class ResumingInputStreamTest {

    private static final int SIZE = 300_000;

    private final byte[] content = new byte[SIZE];
    private int requests;
    private long nanos;

    ResumingInputStreamTest() {
        new Random(7).nextBytes(content);
    }

    private final ResumingInputStream.ReadControl reader = new ResumingInputStream.ReadControl() {
        @Override
        public void check() {}

        @Override
        public void pause(long millis) {
            advance(Duration.ofMillis(millis));
        }
    };

    private void advance(Duration time) {
        nanos += time.toNanos();
    }

    private Duration elapsed() {
        return Duration.ofNanos(nanos);
    }

    private ResumingInputStream stream(ResumingInputStream.Opener store) {
        ResumingInputStream.Opener counted = (offset, length) -> {
            requests++;
            return store.open(offset, length);
        };
        return new ResumingInputStream(counted, "0/file", SIZE, 0, SIZE, reader, new FileVersion(), () -> nanos);
    }

    private OpenedFile part(long offset, int length) {
        InputStream in = new ByteArrayInputStream(content, (int) offset, length);
        return new OpenedFile(in, OptionalLong.empty());
    }

    @Test
    void storeFailsAlways_givesUpAfterEightRequestsWithinTenSeconds() {
        assertThatThrownBy(stream((offset, length) -> {
                    throw new IOException("503");
                })::read)
                .hasMessage("503");
        assertThat(requests).isEqualTo(ResumingInputStream.MAX_FAILURES);
        assertThat(elapsed()).isBetween(Duration.ofMillis(4700), Duration.ofMillis(9500));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 6})
    void storeServesOnlyEachNthRequest_readsAll(int n) throws Exception {
        assertThat(stream((offset, length) -> {
                            if (requests % n != 0) {
                                throw new IOException("503");
                            }
                            return part(offset, (int) Math.min(length, 50_000)); // then the connection breaks
                        })
                        .readAllBytes())
                .isEqualTo(content);
        assertThat(requests).isEqualTo(n * SIZE / 50_000);
    }

    @Test
    void storeHangs_givesUpAfterTwoTimeouts() {
        Duration timeout = Duration.ofSeconds(30);
        assertThatThrownBy(stream((offset, length) -> {
                    advance(timeout);
                    throw new IOException("timeout");
                })::read)
                .hasMessage("timeout");
        assertThat(requests).isEqualTo(2);
        assertThat(elapsed())
                .isBetween(timeout.multipliedBy(2), timeout.multipliedBy(2).plusMillis(100));
    }

    @Test
    void storeAnswersSlowlyWithFailures_givesUpAfterTenSeconds() {
        assertThatThrownBy(stream((offset, length) -> {
                    advance(Duration.ofSeconds(4));
                    throw new IOException("504");
                })::read)
                .hasMessage("504");
        assertThat(requests).isEqualTo(4);
        assertThat(elapsed()).isLessThan(Duration.ofSeconds(4 + ResumingInputStream.MAX_SECONDS + 4));
    }

    /** Without this bound, a file would take as many requests as it has bytes. */
    @Test
    void eachConnectionBringsOneByte_givesUp() {
        ResumingInputStream in = stream((offset, length) -> part(offset, 1));
        assertThatThrownBy(in::readAllBytes)
                .isInstanceOf(EOFException.class)
                .hasMessageContaining("0/file ends at byte 8, listed with " + SIZE);
        assertThat(requests).isEqualTo(ResumingInputStream.MAX_FAILURES);
    }

    @Test
    void eachConnectionBringsEnough_requestsAreBoundedByTheSize() throws Exception {
        int progress = ResumingInputStream.PROGRESS;
        assertThat(stream((offset, length) -> part(offset, (int) Math.min(length, progress)))
                        .readAllBytes())
                .isEqualTo(content);
        assertThat(requests).isEqualTo(SIZE / progress + 1);
    }

    @Test
    void permanentFailure_isThrownAtOnce() {
        for (IOException failure : Arrays.asList(
                new ReplicaFileNotFoundException("file:///r", "gone", "", null),
                new ReplicaAccessException("file:///r", "denied", "", null),
                new ReplicaFileChangedException("0/file"),
                new ReplicaFileDamagedException("file:///r", "damaged", "", null),
                new ReplicaClosedException("file:///r"))) {
            requests = 0;
            assertThatThrownBy(stream((offset, length) -> {
                        throw failure;
                    })::read)
                    .isSameAs(failure);
            assertThat(requests).isOne();
        }
    }

    @Test
    void closed_readsNoMore() throws Exception {
        ResumingInputStream in = stream((offset, length) -> part(offset, (int) length));
        in.close();
        assertThatThrownBy(in::read).hasMessageContaining("is closed");
        assertThat(requests).isZero();
    }
}
