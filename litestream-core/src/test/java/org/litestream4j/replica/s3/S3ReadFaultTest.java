package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;
import static org.litestream4j.replica.s3.S3TestClients.read;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.replica.ResumingInputStream;
import org.litestream4j.replica.s3.FaultProxy.Fault;

/** Faults while a file is read: its bytes are complete and never mixed. */
class S3ReadFaultTest extends S3FaultFixture {

    @Test
    void read_bodyEndsEarly_goesOnAtTheByte() throws Exception {
        byte[] content = bytes(300_000, 4);
        put(client, 0, name(1), content);
        faults("GET", new Fault.HalfBody(), new Fault.HalfBody(), new Fault.ResetBefore(), new Fault.HalfBody());
        assertThat(read(client, 0, name(1))).isEqualTo(content);
        List<String> ranges = proxy.seen.stream()
                .filter(request -> request.method().equals("GET"))
                .map(request -> request.header("range"))
                .toList();
        assertThat(ranges).containsExactly("", "bytes=150000-", "bytes=225000-", "bytes=225000-", "bytes=262500-");
        long received = counted.stream()
                .filter(request -> request.type() == RequestType.GET)
                .mapToLong(Request::bytesReceived)
                .sum();
        assertThat(received).isEqualTo(content.length);
    }

    /** The reader begins again with the new file; a mixture of both would look like damage. */
    @Test
    void read_fileReplacedMeanwhile_saysSo() throws Exception {
        put(client, 0, name(1), bytes(300_000, 5));
        proxy.faults = request -> {
            if (!request.method().equals("GET")) {
                return NONE;
            }
            if (request.header("range").isEmpty()) {
                return new Fault.HalfBody();
            }
            server.sdk()
                    .putObject(
                            put -> put.bucket(S3Server.BUCKET).key(key(0, name(1))),
                            software.amazon.awssdk.core.sync.RequestBody.fromBytes(bytes(300_000, 6)));
            return NONE;
        };
        assertThatThrownBy(() -> read(client, 0, name(1)))
                .isInstanceOf(ReplicaFileChangedException.class)
                .hasMessageContaining(name(1).toString());
    }

    @Test
    void read_fileDeletedMeanwhile_throwsNotFound() throws Exception {
        put(client, 0, name(1), bytes(300_000, 5));
        proxy.faults = request -> {
            if (request.header("range").isEmpty()) {
                return new Fault.HalfBody();
            }
            server.sdk().deleteObject(delete -> delete.bucket(S3Server.BUCKET).key(key(0, name(1))));
            return NONE;
        };
        assertThatThrownBy(() -> read(client, 0, name(1))).isInstanceOf(ReplicaFileNotFoundException.class);
    }

    @Test
    void read_connectionBreaksAgainAndAgain_givesUp() throws Exception {
        put(client, 0, name(1), bytes(1000, 5));
        proxy.faults = request -> new Fault.HalfBody();
        assertThatThrownBy(() -> readWithoutPauses(1000))
                .isExactlyInstanceOf(ReplicaException.class)
                .hasMessageContaining("the connection broke");
        assertThat(counts()).hasSize(1 + ResumingInputStream.MAX_FAILURES);
    }

    /** Requests and their retries are not nested: {@link S3Calls} does not repeat a request that {@link ResumingInputStream} repeats. */
    @Test
    void read_storeFailsAlways_sendsAsManyRequestsAsDocumented() throws Exception {
        put(client, 0, name(1), bytes(1000, 5));
        counted.clear();
        proxy.faults = request -> new Fault.Answer(503, "", "");
        assertThatThrownBy(() -> readWithoutPauses(1000)).hasMessageContaining("503");
        assertThat(counts()).hasSize(ResumingInputStream.MAX_FAILURES).containsOnly("GET FAILED");
    }

    @Test
    void read_storeFailsEachSecondRequest_readsAll() throws Exception {
        byte[] content = bytes(300_000, 5);
        put(client, 0, name(1), content);
        proxy.seen.clear();
        proxy.faults = request -> proxy.seen.size() % 2 == 1 ? new Fault.Answer(503, "", "") : NONE;
        assertThat(readWithoutPauses(300_000)).isEqualTo(content);
        assertThat(proxy.seen).hasSize(2);
    }

    private byte[] readWithoutPauses(int size) throws Exception {
        LtxFileInfo file = new LtxFileInfo(0, name(1), size, Instant.EPOCH, true);
        ResumingInputStream.ReadControl reader = new ResumingInputStream.ReadControl() {
            @Override
            public void check() {}

            @Override
            public void pause(long millis) {}
        };
        try (ResumingInputStream in = new ResumingInputStream(client, file, "0/" + name(1), 0, size, reader)) {
            return in.readAllBytes();
        }
    }
}
