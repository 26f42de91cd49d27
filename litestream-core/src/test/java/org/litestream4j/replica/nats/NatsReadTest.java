package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nats.client.api.ObjectMeta;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.RequestListener.RequestType;

/** What reading and listing cost, and what they find wrong. */
class NatsReadTest {

    private static final LtxFileName NAME = LtxFileName.of(new Txid(1));

    private static final String OBJECT = "ltx/0/" + NAME;

    @TempDir
    Path folder;

    private NatsServer server;

    private ReplicaClient client;

    private final List<Request> requests = new CopyOnWriteArrayList<>();

    @BeforeEach
    void start() throws Exception {
        server = NatsServer.start(folder);
        server.createBucket("b");
        client = Replicas.open(ReplicaLocation.of("nats://" + server.address() + "/b"), requests::add);
        client.prepare();
    }

    @AfterEach
    void stop() throws IOException {
        if (server != null) {
            client.close();
            server.close();
        }
    }

    @Test
    void open_smallFile_costsDescriptionAndChunk() throws Exception {
        byte[] content = content(1, 5000);
        put(NAME, content);
        requests.clear();
        assertThat(read(0, ReplicaClient.TO_END)).isEqualTo(content);
        assertThat(requests).extracting(Request::type).containsExactly(RequestType.HEAD, RequestType.GET);
        assertThat(requests.get(1).bytesReceived()).isEqualTo(5000);
    }

    @Test
    void open_rangesOfALargeFile_costTheirChunksAlone() throws Exception {
        byte[] content = content(2, 10_000_000);
        put(NAME, content);
        requests.clear();
        assertThat(read(content.length - 32_768, 32_768)).isEqualTo(tail(content, 32_768));
        assertThat(requests)
                .extracting(Request::type)
                .containsExactly(RequestType.HEAD, RequestType.LIST, RequestType.GET);
        requests.clear();
        assertThat(read(5_000_000, 4096)).isEqualTo(Arrays.copyOfRange(content, 5_000_000, 5_004_096));
        assertThat(requests).extracting(Request::type).containsExactly(RequestType.GET);
        assertThat(requests.get(0).bytesReceived()).isEqualTo(NatsBucket.CHUNK_SIZE);
        requests.clear();
        int border = NatsBucket.CHUNK_SIZE * 7;
        assertThat(read(border - 10, 20)).isEqualTo(Arrays.copyOfRange(content, border - 10, border + 10));
        assertThat(requests).hasSize(2);
    }

    @Test
    void open_everyBorderOfUnevenChunks_givesTheRightBytes() throws Exception {
        byte[] content = content(3, 3000);
        server.with(connection -> connection
                .objectStore("b")
                .put(ObjectMeta.builder(OBJECT).chunkSize(7).build(), new java.io.ByteArrayInputStream(content)));
        for (int offset = 0; offset < 60; offset++) {
            for (int length : new int[] {1, 6, 7, 8, 500}) {
                assertThat(read(offset, length))
                        .as("offset %d, length %d", offset, length)
                        .isEqualTo(Arrays.copyOfRange(content, offset, offset + length));
            }
        }
        assertThat(read(2999, 10)).isEqualTo(tail(content, 1));
        assertThat(read(3000, 10)).isEmpty();
        assertThatThrownBy(() -> read(3001, 10)).isInstanceOf(ReplicaFileChangedException.class);
    }

    @Test
    void open_bucketWithoutDirectAccess_works() throws Exception {
        server.with(connection -> {
            StreamConfiguration stream =
                    connection.jetStreamManagement().getStreamInfo("OBJ_b").getConfiguration();
            connection
                    .jetStreamManagement()
                    .addStream(StreamConfiguration.builder(stream)
                            .name("OBJ_old")
                            .subjects("$O.old.C.>", "$O.old.M.>")
                            .allowDirect(false)
                            .build());
            return true;
        });
        byte[] content = content(4, 2_000_000);
        try (ReplicaClient old = Replicas.open(ReplicaLocation.of("nats://" + server.address() + "/old"))) {
            old.prepare();
            try (ReplicaUpload upload = old.write(0, NAME, Instant.EPOCH)) {
                upload.write(content);
                upload.publish();
            }
            try (InputStream in = old.open(0, NAME, 0, ReplicaClient.TO_END)) {
                assertThat(in.readAllBytes()).isEqualTo(content);
            }
        }
    }

    @Test
    void open_chunkMissing_throwsInsteadOfEndingEarly() throws Exception {
        put(NAME, content(5, 1_500_000));
        server.with(connection -> connection.jetStreamManagement().deleteMessage("OBJ_b", 5));
        assertThatThrownBy(() -> read(0, ReplicaClient.TO_END)).hasMessageContaining(OBJECT + " is damaged");
        assertThatThrownBy(() -> read(1_400_000, 10)).hasMessageContaining(OBJECT + " is damaged");
    }

    @Test
    void open_contentChanged_isFoundByTheDigest() throws Exception {
        byte[] content = content(6, 1_500_000);
        put(NAME, content);
        server.with(
                connection -> { // the same description over other chunks of the same sizes
                    var info = connection.objectStore("b").getInfo(OBJECT);
                    String subject = "$O.b.C." + info.getNuid();
                    connection.jetStreamManagement().purgeStream("OBJ_b", io.nats.client.PurgeOptions.subject(subject));
                    byte[] other = content.clone();
                    other[700_000] ^= 1;
                    for (int from = 0; from < other.length; from += NatsBucket.CHUNK_SIZE) {
                        int to = Math.min(other.length, from + NatsBucket.CHUNK_SIZE);
                        connection.jetStream().publish(subject, Arrays.copyOfRange(other, from, to));
                    }
                    return true;
                });
        assertThatThrownBy(() -> read(0, ReplicaClient.TO_END)).hasMessageContaining("does not match its digest");
    }

    @Test
    void list_manyFiles_isTwoRequests() throws Exception {
        for (int number = 1; number <= 300; number++) {
            put(LtxFileName.of(new Txid(number)), content(number, 100));
        }
        requests.clear();
        int[] seen = {0};
        client.list(0, Txid.NONE, file -> ++seen[0] > 0);
        assertThat(seen[0]).isEqualTo(300);
        assertThat(requests).extracting(Request::type).containsExactly(RequestType.HEAD, RequestType.LIST);
    }

    @Test
    void close_afterUse_leavesNoThreads() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        for (String bucket : List.of("b", "missing")) {
            try (ReplicaClient other = Replicas.open(ReplicaLocation.of("nats://" + server.address() + "/" + bucket))) {
                other.list(0, Txid.NONE, file -> true);
            } catch (ReplicaAccessException e) {
                assertThat(bucket).isEqualTo("missing");
            }
        }
        Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> !before.contains(thread))
                    .extracting(Thread::getName)
                    .filteredOn(name -> !name.startsWith("awaitility") && !name.startsWith("process reaper"))
                    .isEmpty();
        });
    }

    private LtxFileInfo put(LtxFileName name, byte[] content) throws IOException {
        try (ReplicaUpload upload = client.write(0, name, Instant.EPOCH)) {
            upload.write(content);
            return upload.publish();
        }
    }

    private byte[] read(long offset, long length) throws IOException {
        try (InputStream in = client.open(0, NAME, offset, length)) {
            return in.readAllBytes();
        }
    }

    private static byte[] content(int seed, int size) {
        byte[] content = new byte[size];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static byte[] tail(byte[] content, int length) {
        return Arrays.copyOfRange(content, content.length - length, content.length);
    }
}
