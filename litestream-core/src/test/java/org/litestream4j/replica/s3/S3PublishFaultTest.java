package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.FaultProxy.error;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;
import static org.litestream4j.replica.s3.S3TestClients.read;

import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.s3.FaultProxy.Fault;

/** Faults while a small file is published: it is there once, or an error is thrown. */
class S3PublishFaultTest extends S3FaultFixture {

    @Test
    void publish_answerLost_findsItsOwnFile() throws Exception {
        faults("PUT", new Fault.ResetAfter());
        put(client, 0, name(1), bytes(3000, 1));
        assertThat(read(client, 0, name(1))).isEqualTo(bytes(3000, 1));
        assertThat(counts()).containsExactly("PUT FAILED", "PUT CONFLICT", "GET SUCCESS", "GET SUCCESS");
    }

    @Test
    void publish_takenButNothingThere_isRepeated() throws Exception {
        faults("PUT", error(412, "PreconditionFailed"));
        put(client, 0, name(1), bytes(100, 1));
        assertThat(counts()).containsExactly("PUT CONFLICT", "GET NOT_FOUND", "PUT SUCCESS");
    }

    @Test
    void publish_takenForEver_fails() throws Exception {
        proxy.faults = request -> request.method().equals("PUT") ? error(412, "PreconditionFailed") : NONE;
        assertThatThrownBy(() -> put(client, 0, name(1), bytes(100, 1)))
                .isExactlyInstanceOf(ReplicaException.class)
                .hasMessageContaining("412 PreconditionFailed");
    }

    @Test
    void publish_calledAgain_isRefused() throws Exception {
        proxy.faults = request -> request.method().equals("PUT") ? error(500, "InternalError") : NONE;
        try (ReplicaUpload upload = client.write(0, name(1), S3TestClients.TIME)) {
            upload.write(1);
            assertThatThrownBy(upload::publish).isInstanceOf(ReplicaException.class);
            assertThatThrownBy(upload::publish).isInstanceOf(IllegalStateException.class);
        }
    }
}
