package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.FaultProxy.error;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.list;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;

/** Deletes that a store refuses, in whole or in part. */
class S3DeleteFaultTest extends S3FaultFixture {

    @Test
    void delete_manyFiles_areSentThousandAtATime() throws Exception {
        client.delete(
                0, LongStream.rangeClosed(1, 2500).mapToObj(S3TestClients::name).toList());
        assertThat(counts()).containsExactly("DELETE SUCCESS", "DELETE SUCCESS", "DELETE SUCCESS", "LIST SUCCESS");
    }

    @Test
    void delete_bulkRefused_goesOnOneByOne() throws Exception {
        for (int i = 1; i <= 3; i++) {
            put(client, 0, name(i), bytes(10, i));
        }
        proxy.faults = request -> request.method().equals("POST") ? error(501, "NotImplemented") : NONE;
        client.delete(0, List.of(name(1), name(2)));
        assertThat(list(client, 0)).containsExactly(name(3));
        proxy.seen.clear();
        client.delete(0, List.of(name(3), name(4)));
        assertThat(proxy.seen).extracting(Seen::method).containsExactly("DELETE", "DELETE");
    }

    @Test
    void delete_oneFileDenied_namesItAndDeletesTheOthers() throws Exception {
        proxy.faults = request -> request.method().equals("POST")
                ? new Fault.Answer(
                        200,
                        "",
                        "<DeleteResult><Error><Key>" + key(0, name(2)) + "</Key><Code>AccessDenied</Code></Error>"
                                + "</DeleteResult>")
                : NONE;
        assertThatThrownBy(() -> client.delete(0, List.of(name(1), name(2), name(3))))
                .isInstanceOfSatisfying(ReplicaDeleteException.class, e -> {
                    assertThat(e.remaining()).containsExactly(name(2));
                    assertThat(e.remedy()).contains("right to delete");
                });
    }

    @Test
    void delete_errorWithoutAKey_countsForAll() {
        proxy.faults = request -> request.method().equals("POST")
                ? new Fault.Answer(200, "", "<DeleteResult><Error><Code>MalformedXML</Code></Error></DeleteResult>")
                : NONE;
        assertThatThrownBy(() -> client.delete(0, List.of(name(1), name(2))))
                .isInstanceOfSatisfying(ReplicaDeleteException.class, e -> {
                    assertThat(e.remaining()).containsExactly(name(1), name(2));
                    assertThat(e.isRefusal()).isFalse();
                });
    }

    @Test
    void delete_allDenied_saysWhichRightIsMissing() {
        proxy.faults = request -> error(403, "AccessDenied");
        assertThatThrownBy(() -> client.delete(0, List.of(name(1), name(2))))
                .isInstanceOf(ReplicaAccessException.class)
                .hasMessageContaining("right to delete");
        assertThatThrownBy(() -> client.delete(0, List.of(name(1)))).isInstanceOf(ReplicaAccessException.class);
    }

    @Test
    void delete_someFilesThrottled_triesThemAgain() throws Exception {
        for (int i = 1; i <= 3; i++) {
            put(client, 0, name(i), bytes(10, i));
        }
        Deque<Fault> once = new ArrayDeque<>(List.of(new Fault.Answer(
                200,
                "",
                "<DeleteResult><Error><Key>" + key(0, name(2)) + "</Key><Code>SlowDown</Code></Error><Error><Key>"
                        + key(0, name(3)) + "</Key><Code>InternalError</Code></Error></DeleteResult>")));
        proxy.faults = request -> request.method().equals("POST") && !once.isEmpty() ? once.poll() : NONE;
        client.delete(0, List.of(name(1), name(2), name(3)));
        assertThat(list(client, 0)).containsExactly(name(1)); // the store was only told of the other two
    }
}
