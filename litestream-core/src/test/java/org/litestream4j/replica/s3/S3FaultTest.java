package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.FaultProxy.error;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.list;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;
import static org.litestream4j.replica.s3.S3TestClients.read;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.s3.FaultProxy.Fault;

/** A store that answers late, wrongly, by half or not at all: what was asked happens once, or an error is thrown. */
class S3FaultTest extends S3FaultFixture {

    @Test
    void request_throttledOrInError_isRepeated() throws Exception {
        faults("PUT", error(503, "SlowDown"), error(500, "InternalError"), error(408, "RequestTimeout"));
        put(client, 0, name(1), bytes(10, 1));
        faults("GET", error(429, "TooManyRequests"), new Fault.ResetBefore(), new Fault.Late(20));
        assertThat(list(client, 0)).containsExactly(name(1));
        assertThat(counts())
                .containsExactly(
                        "PUT THROTTLED",
                        "PUT FAILED",
                        "PUT FAILED",
                        "PUT SUCCESS",
                        "LIST THROTTLED",
                        "LIST FAILED",
                        "LIST SUCCESS");
    }

    @Test
    void request_storeIsDown_failsAfterFewAttempts() {
        proxy.faults = request -> error(503, "ServiceUnavailable");
        assertThatThrownBy(() -> list(client, 0)).isExactlyInstanceOf(ReplicaException.class);
        assertThat(counts()).containsExactly("LIST FAILED", "LIST FAILED", "LIST FAILED", "LIST FAILED");
    }

    @Test
    void request_storeIsDownForLong_noQuotaRunsDry() throws Exception {
        proxy.faults = request -> error(500, "InternalError");
        for (int i = 0; i < 40; i++) {
            assertThatThrownBy(() -> list(client, 0)).isExactlyInstanceOf(ReplicaException.class);
        }
        assertThat(counted).hasSize(160);
        faults("GET", error(500, "InternalError"), error(500, "InternalError"), error(500, "InternalError"));
        assertThat(list(client, 0)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void anything_randomFaults_endsAsAskedOrWithAnError(long seed) throws Exception {
        withRandomFaults(seed, 60);
    }

    @Tag("fuzz")
    @Test
    void anything_randomFaultsForLong_endsAsAskedOrWithAnError() throws Exception {
        long first = System.nanoTime();
        for (long seed = first; seed < first + 40; seed++) {
            path = server.freshPath();
            client.close();
            client = client("");
            withRandomFaults(seed, 120);
        }
    }

    private void withRandomFaults(long seed, int steps) throws Exception {
        Random random = new Random(seed);
        proxy.faults = request -> {
            synchronized (random) {
                return randomFault(random);
            }
        };
        Map<LtxFileName, byte[]> expected = new TreeMap<>();
        int errors = 0;
        for (int step = 0; step < steps; step++) {
            LtxFileName name = name(1 + random.nextInt(40));
            byte[] content = bytes(10_000, name.min().value()); // repeated uploads bring the same content
            try {
                switch (random.nextInt(4)) {
                    case 0, 1 -> {
                        put(client, 0, name, content);
                        expected.put(name, content);
                    }
                    case 2 ->
                        assertThat(Arrays.equals(read(client, 0, name), content))
                                .as("seed %d", seed)
                                .isTrue(); // also where the upload failed, but had arrived
                    default -> assertThat(list(client, 0)).as("seed %d", seed).containsAll(expected.keySet());
                }
            } catch (ReplicaFileNotFoundException e) {
                assertThat(expected).as("seed %d", seed).doesNotContainKey(name);
            } catch (IOException e) {
                assertThat(e).as("seed %d", seed).isExactlyInstanceOf(ReplicaException.class);
                errors++;
            }
        }
        assertThat(errors)
                .as("seed %d: most succeeds in spite of the faults", seed)
                .isLessThan(steps / 4);
        proxy.faults = request -> NONE;
        for (Map.Entry<LtxFileName, byte[]> file : expected.entrySet()) {
            assertThat(Arrays.equals(read(client, 0, file.getKey()), file.getValue()))
                    .as("seed %d", seed)
                    .isTrue();
        }
    }

    private static Fault randomFault(Random random) {
        return switch (random.nextInt(18)) {
            case 0 -> new Fault.ResetBefore();
            case 1 -> new Fault.ResetAfter();
            case 2 -> new Fault.HalfBody();
            case 3 -> error(500, "InternalError");
            case 4 -> error(503, "SlowDown");
            case 5 -> error(412, "PreconditionFailed");
            case 6 -> new Fault.Late(random.nextInt(10));
            default -> NONE;
        };
    }
}
