package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nats.client.api.ObjectInfo;
import io.nats.client.api.StreamState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.testing.ManualClock;

/** Servers that die, connections that break, writers in each other's way: what is listed stays whole. */
class NatsInterruptionTest {

    private static final Instant TIME = Instant.ofEpochMilli(1_700_000_000_123L);

    private static final LtxFileName NAME = LtxFileName.of(new Txid(1));

    @TempDir
    Path folder;

    private NatsServer server;

    private final List<ReplicaClient> clients = new ArrayList<>();

    @BeforeEach
    void startServer() throws Exception {
        server = NatsServer.start(folder);
        server.createBucket("backups");
    }

    @AfterEach
    void stopServer() throws IOException {
        for (ReplicaClient client : clients) {
            client.close();
        }
        if (server != null) {
            server.close();
        }
    }

    @Test
    void write_serverKilledAndRestartedInTheMiddle_goesOn() throws Exception {
        byte[] content = content(1, 4_000_000);
        ReplicaClient client = client(server.address(), "30s");
        try (ReplicaUpload upload = client.write(0, NAME, TIME)) {
            upload.write(content, 0, 2_000_000);
            server.kill();
            server.start();
            upload.write(content, 2_000_000, 1_000_000);
            server.kill();
            server.start();
            upload.write(content, 3_000_000, 1_000_000);
            upload.publish();
        }
        assertThat(read(client, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);
        assertThat(readByTheLibrary("ltx/0/" + NAME)).isEqualTo(content);
    }

    @Test
    void write_acknowledgementOfAChunkLost_storesItOnce() throws Exception {
        byte[] content = content(2, 2_000_000);
        try (CuttingProxy proxy = new CuttingProxy(server.port(), "Nats-Msg-Id: ?\\w+-5\r\n")) {
            ReplicaClient client = client(proxy.address(), "30s");
            put(client, NAME, content);
            assertThat(proxy.hasCut()).isTrue();
            assertThat(read(client, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);
        }
        assertThat(readByTheLibrary("ltx/0/" + NAME)).isEqualTo(content);
        assertThat(state().getMsgCount()).isEqualTo(2_000_000 / NatsBucket.CHUNK_SIZE + 2L);
    }

    @Test
    void publish_acknowledgementLost_succeeds() throws Exception {
        byte[] content = content(3, 1000);
        try (CuttingProxy proxy = new CuttingProxy(server.port(), "Nats-Rollup")) {
            ReplicaClient client = client(proxy.address(), "30s");
            put(client, NAME, content);
            assertThat(proxy.hasCut()).isTrue();
            assertThat(read(client, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);
        }
        assertThat(state().getMsgCount()).isEqualTo(2);
    }

    @Test
    void publish_acknowledgementLostAndServerGone_neverLosesTheChunks() throws Exception {
        byte[] content = content(4, 1000);
        try (CuttingProxy proxy = new CuttingProxy(server.port(), "Nats-Rollup").forGood()) {
            ReplicaClient client = client(proxy.address(), "3s");
            assertThatThrownBy(() -> put(client, NAME, content)).isInstanceOf(IOException.class);
            assertThat(proxy.hasCut()).isTrue();
        }
        ReplicaClient client = client(server.address(), "30s");
        assertThat(read(client, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);
        put(client, NAME, content); // the caller's repetition finds it done
        assertThat(state().getMsgCount()).isEqualTo(2);
    }

    @Test
    void write_serverGone_failsInTimeAndTheNextAttemptSucceeds() throws Exception {
        byte[] content = content(5, 3_000_000);
        ReplicaClient client = client(server.address(), "3s");
        assertThatThrownBy(() -> {
                    try (ReplicaUpload upload = client.write(0, NAME, TIME)) {
                        upload.write(content, 0, 2_000_000);
                        server.kill();
                        upload.write(content, 2_000_000, 1_000_000);
                        upload.publish();
                    }
                })
                .isInstanceOf(IOException.class);
        server.start();
        ReplicaClient again = client(server.address(), "30s");
        assertThat(names(again)).isEmpty();
        put(again, NAME, content);
        assertThat(read(again, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);

        long withOrphans = state().getByteCount();
        assertThat(withOrphans).isGreaterThan(content.length + 500_000);
        again.delete(0, List.of(LtxFileName.of(new Txid(99))));
        assertThat(state().getByteCount()).as("too young to be purged").isEqualTo(withOrphans);
        Clock ahead = Clock.fixed(Instant.now().plus(Duration.ofHours(25)), ZoneOffset.UTC);
        try (ReplicaClient tomorrow = new NatsReplicaClient(
                settings(server.address(), "30s"), RequestListener.NONE, ahead, OrphanedChunks.ABANDONED)) {
            tomorrow.delete(0, List.of(LtxFileName.of(new Txid(99))));
        }
        assertThat(state().getByteCount()).as("not by a clock that is ahead").isEqualTo(withOrphans);
        try (ReplicaClient later =
                new NatsReplicaClient(settings(server.address(), "30s"), RequestListener.NONE, ahead, Duration.ZERO)) {
            later.delete(0, List.of(LtxFileName.of(new Txid(99))));
        }
        assertThat(state().getByteCount()).isLessThan(content.length + 100_000);
        assertThat(read(again, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);
    }

    /** Attempts that were killed must not fill the bucket; what other programs upload is not ours to judge. */
    @Test
    void write_large_purgesChunksOfAbandonedUploadsOfThisLibrary() throws Exception {
        server.with(connection -> connection.jetStream().publish("$O.backups.C.foreign", content(1, 100_000)));
        ReplicaClient client = client(server.address(), "3s");
        ReplicaUpload killed = client.write(9, NAME, TIME);
        killed.write(content(2, 3_000_000));
        await().atMost(Duration.ofSeconds(10)).until(() -> state().getByteCount() > 2_900_000);
        byte[] content = content(3, 9_000_000);
        put(client, NAME, content(4, 9_000_000));
        assertThat(state().getByteCount()).as("it may still be running").isGreaterThan(11_900_000);
        try (ReplicaClient later = new NatsReplicaClient(
                settings(server.address(), "3s"), RequestListener.NONE, Clock.systemUTC(), Duration.ZERO)) {
            put(later, LtxFileName.of(new Txid(2)), content);
        }
        assertThat(state().getByteCount()).isBetween(18_000_000L, 18_300_000L);
        assertThatThrownBy(killed::publish).isInstanceOf(IOException.class).hasMessageContaining("purged");
        assertThat(read(client, LtxFileName.of(new Txid(2)), 0, ReplicaClient.TO_END))
                .isEqualTo(content);
    }

    /** Its chunks may be purged at any moment: the object would be described as whole. */
    @ParameterizedTest
    @ValueSource(ints = {1_000_000, 100_000})
    void write_pausedForLong_isNotDescribed(int size) throws Exception {
        ManualClock clock = new ManualClock();
        try (ReplicaClient client = new NatsReplicaClient(
                settings(server.address(), "3s"), RequestListener.NONE, clock, OrphanedChunks.ABANDONED)) {
            byte[] content = content(5, 1_000_000 + size);
            ReplicaUpload paused = client.write(0, NAME, TIME);
            paused.write(content, 0, 1_000_000);
            clock.advance(Duration.ofMinutes(8));
            assertThatThrownBy(() -> {
                        paused.write(content, 1_000_000, size);
                        paused.publish();
                    })
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("paused");
            paused.close();
            assertThat(names(client)).isEmpty();
            assertThat(state().getMsgCount()).isZero();
            ReplicaUpload slow = client.write(0, NAME, TIME);
            clock.advance(Duration.ofHours(1)); // before the first chunk
            for (int offset = 0; offset < content.length; offset += 100_000) {
                slow.write(content, offset, 100_000);
                clock.advance(Duration.ofMinutes(3));
            }
            slow.publish();
            assertThat(read(client, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);
        }
    }

    /** As clients did whose clock is ahead: the object would be described as whole. */
    @Test
    void write_chunksPurgedMeanwhile_isNotDescribed() throws Exception {
        ReplicaClient client = client(server.address(), "30s");
        byte[] content = content(8, 2_000_000);
        try (ReplicaUpload upload = client.write(0, NAME, TIME)) {
            upload.write(content, 0, 1_500_000);
            server.with(connection -> {
                var management = connection.jetStreamManagement();
                String subject = management
                        .getStreamInfo(
                                "OBJ_backups", io.nats.client.api.StreamInfoOptions.filterSubjects("$O.backups.C.>"))
                        .getStreamState()
                        .getSubjects()
                        .get(0)
                        .getName();
                management.purgeStream("OBJ_backups", io.nats.client.PurgeOptions.subject(subject));
                return true;
            });
            upload.write(content, 1_500_000, 500_000);
            assertThatThrownBy(upload::publish).isInstanceOf(IOException.class).hasMessageContaining("purged");
        }
        assertThat(names(client)).isEmpty();
        put(client, NAME, content);
        assertThat(read(client, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content);
    }

    @Test
    void read_serverRestartedInTheMiddle_goesOn() throws Exception {
        byte[] content = content(6, 8_000_000);
        ReplicaClient client = client(server.address(), "30s");
        put(client, NAME, content);
        try (InputStream in = client.open(0, NAME, 0, ReplicaClient.TO_END)) {
            byte[] first = in.readNBytes(1_000_000);
            server.kill();
            server.start();
            byte[] rest = in.readAllBytes();
            assertThat(first).isEqualTo(Arrays.copyOf(content, 1_000_000));
            assertThat(rest).isEqualTo(Arrays.copyOfRange(content, 1_000_000, content.length));
        }
    }

    /** The reader of the file retries. A nested retry would multiply the bound of the reader. */
    @Test
    void openFile_serverGone_triesToConnectOnlyOnce() throws Exception {
        ReplicaClient client = client(server.address(), "30s");
        put(client, NAME, content(9, 3_000_000));
        server.kill();
        AtomicInteger connections = new AtomicInteger();
        Thread accepting;
        try (ServerSocket refusing = new ServerSocket(server.port(), 50, InetAddress.getLoopbackAddress())) {
            accepting = new Thread(() -> {
                while (!refusing.isClosed()) {
                    try {
                        Socket socket = refusing.accept();
                        connections.incrementAndGet();
                        socket.close(); // without a word
                    } catch (IOException e) {
                        return;
                    }
                }
            });
            accepting.start();
            assertThatThrownBy(() -> client.openFile(0, NAME, 0, ReplicaClient.TO_END))
                    .isInstanceOf(LostException.class);
            assertThat(connections.get()).isLessThanOrEqualTo(1); // none if the request was sent before the loss
        }
        accepting.join();
    }

    @Test
    void list_serverRestarted_goesOn() throws Exception {
        ReplicaClient client = client(server.address(), "30s");
        put(client, NAME, content(7, 100));
        server.kill();
        server.start();
        assertThat(names(client)).containsExactly(NAME);
    }

    @Test
    void read_fileDeletedInTheMiddle_throwsNotFound() throws Exception {
        byte[] content = content(8, 8_000_000);
        ReplicaClient client = client(server.address(), "30s");
        put(client, NAME, content);
        try (InputStream in = client.open(0, NAME, 0, ReplicaClient.TO_END)) {
            assertThat(in.readNBytes(1000)).hasSize(1000);
            client(server.address(), "30s").delete(0, List.of(NAME));
            assertThatThrownBy(in::readAllBytes).isInstanceOf(ReplicaFileNotFoundException.class);
        }
        assertThatThrownBy(() -> read(client, NAME, 5, 10)).isInstanceOf(ReplicaFileNotFoundException.class);
        put(client, NAME, content(9, 2_000_000));
        assertThat(read(client, NAME, 5, 10)).isEqualTo(Arrays.copyOfRange(content(9, 2_000_000), 5, 15));
    }

    @Test
    void write_severalAtATime_keepsEachInOrder() throws Exception {
        int uploads = 6;
        ReplicaClient client = client(server.address(), "30s");
        CyclicBarrier barrier = new CyclicBarrier(uploads);
        inParallel(uploads, number -> {
            barrier.await(30, TimeUnit.SECONDS);
            put(client, LtxFileName.of(new Txid(number + 1)), content(number, 2_000_000));
            return true;
        });
        for (int number = 0; number < uploads; number++) {
            LtxFileName name = LtxFileName.of(new Txid(number + 1));
            assertThat(read(client, name, 0, ReplicaClient.TO_END)).isEqualTo(content(number, 2_000_000));
            assertThat(read(client, name, 1_234_567, 300_000))
                    .isEqualTo(Arrays.copyOfRange(content(number, 2_000_000), 1_234_567, 1_534_567));
            assertThat(readByTheLibrary("ltx/0/" + name)).isEqualTo(content(number, 2_000_000));
        }
    }

    @Test
    void publish_racingOverATombstone_hasExactlyOneWinner() throws Exception {
        String objectName = "ltx/0/" + NAME;
        for (int round = 0; round < 10; round++) {
            server.with(connection -> connection.objectStore("backups").put(objectName, new byte[] {1}));
            server.with(connection -> connection.objectStore("backups").delete(objectName)); // leaves a tombstone
            ReplicaClient client = client(server.address(), "30s");
            assertThat(names(client)).isEmpty();
            assertThatThrownBy(() -> read(client, NAME, 0, 1)).isInstanceOf(ReplicaFileNotFoundException.class);
            int writers = 8;
            CyclicBarrier barrier = new CyclicBarrier(writers);
            List<Boolean> won = inParallel(writers, number -> {
                try (ReplicaUpload upload = client.write(0, NAME, TIME)) {
                    upload.write(content(number, 500));
                    barrier.await(30, TimeUnit.SECONDS);
                    upload.publish();
                    return true;
                } catch (ReplicaConflictException e) {
                    return false;
                }
            });
            assertThat(won).containsOnlyOnce(true);
            assertThat(read(client, NAME, 0, ReplicaClient.TO_END)).isEqualTo(content(won.indexOf(true), 500));
            assertThat(state().getMsgCount()).as("losers purge their chunks").isEqualTo(2);
            client.delete(0, List.of(NAME));
            client.close();
        }
    }

    @Test
    void delete_files_freesTheirSpaceAndLeavesNoTombstones() throws Exception {
        ReplicaClient client = client(server.address(), "30s");
        List<LtxFileName> names = new ArrayList<>();
        for (int number = 1; number <= 70; number++) {
            names.add(LtxFileName.of(new Txid(number)));
            put(client, names.get(number - 1), content(number, 2000));
        }
        client.delete(0, names);
        assertThat(names(client)).isEmpty();
        assertThat(state().getMsgCount()).isZero();
        assertThat(state().getByteCount()).isZero();
        put(client, names.get(0), content(100, 10));
        assertThat(read(client, names.get(0), 0, ReplicaClient.TO_END)).isEqualTo(content(100, 10));
    }

    private StreamState state() throws Exception {
        return server.with(connection ->
                connection.jetStreamManagement().getStreamInfo("OBJ_backups").getStreamState());
    }

    private byte[] readByTheLibrary(String objectName) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ObjectInfo info =
                server.with(connection -> connection.objectStore("backups").get(objectName, out));
        assertThat(info.getSize()).isEqualTo(out.size());
        return out.toByteArray();
    }

    private ReplicaClient client(String address, String timeout) {
        ReplicaClient client = new NatsReplicaClient(settings(address, timeout), RequestListener.NONE);
        clients.add(client);
        return client;
    }

    private static NatsSettings settings(String address, String timeout) {
        return NatsSettingsParser.parse(new ReplicaLocation(
                "nats://" + address + "/backups",
                Map.of("timeout", timeout, "reconnect-wait", "50ms", "reconnect-jitter", "10ms")));
    }

    private static byte[] content(int seed, int size) {
        byte[] content = new byte[size];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static void put(ReplicaClient client, LtxFileName name, byte[] content) throws IOException {
        try (ReplicaUpload upload = client.write(0, name, TIME)) {
            upload.write(content);
            upload.publish();
        }
    }

    private static byte[] read(ReplicaClient client, LtxFileName name, long offset, long length) throws IOException {
        try (InputStream in = client.open(0, name, offset, length)) {
            return in.readAllBytes();
        }
    }

    private static List<LtxFileName> names(ReplicaClient client) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        client.list(0, Txid.NONE, file -> names.add(file.name()));
        return names;
    }

    private interface Task {
        boolean run(int number) throws Exception;
    }

    private static List<Boolean> inParallel(int count, Task task) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(count);
        try {
            List<Callable<Boolean>> tasks = new ArrayList<>();
            for (int number = 0; number < count; number++) {
                int mine = number;
                tasks.add(() -> task.run(mine));
            }
            List<Boolean> results = new ArrayList<>();
            for (Future<Boolean> future : executor.invokeAll(tasks, 60, TimeUnit.SECONDS)) {
                results.add(future.get());
            }
            return results;
        } finally {
            executor.shutdown();
        }
    }
}
