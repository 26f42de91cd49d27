package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.FaultProxy.error;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.list;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;
import static org.litestream4j.replica.s3.S3TestClients.read;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.replica.s3.FaultProxy.Fault;

/** Faults while a large file is uploaded in parts: it is there once and complete, or nothing is left of it. */
class S3PartsFaultTest extends S3FaultFixture {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void publish_largeFileAndAnswerLost_findsItsOwnFile() throws Exception {
        byte[] content = bytes(11 * MIB, 2);
        Deque<Fault> once = new ArrayDeque<>(List.of(new Fault.ResetAfter()));
        proxy.faults = request -> isComplete(request) && !once.isEmpty() ? once.poll() : NONE;
        put(client, 9, name(1), content);
        assertThat(once).isEmpty();
        assertThat(read(client, 9, name(1))).isEqualTo(content);
        assertThat(unfinishedUploads()).isEmpty();
    }

    @Test
    void publish_largeFileTakenByAnother_conflictsAndLeavesNoParts() throws Exception {
        byte[] first = bytes(11 * MIB, 1);
        put(client, 9, name(1), first);
        byte[] other = first.clone();
        other[10 * MIB] ^= 1;
        assertThatThrownBy(() -> put(client, 9, name(1), other)).isInstanceOf(ReplicaConflictException.class);
        assertThat(unfinishedUploads()).isEmpty();
        put(client, 9, name(1), first);
        assertThat(unfinishedUploads()).isEmpty();
        assertThat(read(client, 9, name(1))).isEqualTo(first);
    }

    @Test
    void upload_closedInTheMiddle_leavesNoParts() throws Exception {
        try (ReplicaUpload upload = client.write(9, name(1), S3TestClients.TIME)) {
            upload.write(bytes(11 * MIB, 1));
            assertThat(unfinishedUploads()).isNotEmpty();
        }
        assertThat(unfinishedUploads()).isEmpty();
        assertThat(counted).last().isEqualTo(new Request(RequestType.MULTIPART_ABORT, RequestResult.SUCCESS, 0, 0));
        assertThat(list(client, 9)).isEmpty();
    }

    @Test
    void upload_partFailsForGood_throwsAndLeavesNoParts() throws Exception {
        proxy.faults = request -> request.target().contains("partNumber=2&") ? error(500, "InternalError") : NONE;
        assertThatThrownBy(() -> put(client, 9, name(1), bytes(11 * MIB, 1)))
                .isInstanceOf(ReplicaException.class)
                .hasMessageContaining("500 InternalError");
        assertThat(unfinishedUploads()).isEmpty();
        assertThat(list(client, 9)).isEmpty();
    }

    @Test
    void upload_partsFailOnce_arriveInOrder() throws Exception {
        byte[] content = bytes(11 * MIB, 3);
        Deque<Fault> left = new ArrayDeque<>(
                List.of(error(503, "SlowDown"), new Fault.ResetBefore(), new Fault.ResetAfter(), error(500, "")));
        proxy.faults = request -> {
            synchronized (left) {
                return request.target().contains("partNumber=") && !left.isEmpty() ? left.poll() : NONE;
            }
        };
        put(client, 9, name(1), content);
        assertThat(read(client, 9, name(1))).isEqualTo(content);
    }

    /** Of a file of any length, only the parts on their way and the one that fills are in memory. */
    @Test
    void upload_storeIsSlow_writerWaits() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        proxy.faults = request -> {
            if (request.target().contains("partNumber=")) {
                awaitUninterruptibly(answer);
            }
            return NONE;
        };
        AtomicInteger written = new AtomicInteger();
        try (ReplicaClient narrow = client("&concurrency=2&partSize=5MiB");
                ReplicaUpload upload = narrow.write(9, name(1), S3TestClients.TIME)) {
            CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
                try {
                    for (int mib = 0; mib < 60; mib++) {
                        upload.write(bytes(MIB, mib));
                        written.incrementAndGet();
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(proxy.seen)
                    .filteredOn(request -> request.target().contains("partNumber="))
                    .hasSize(2));
            await().atMost(PATIENCE).until(() -> written.get() == 15); // two on their way, one full
            await().atMost(PATIENCE).during(Duration.ofMillis(300)).until(() -> written.get() == 15);
            answer.countDown();
            writer.get(30, TimeUnit.SECONDS);
            upload.publish();
        }
        try (InputStream in = client.open(9, name(1), 0, ReplicaClient.TO_END)) {
            for (int mib = 0; mib < 60; mib++) {
                assertThat(Arrays.equals(in.readNBytes(MIB), bytes(MIB, mib))).isTrue();
            }
            assertThat(in.read()).isNegative();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
