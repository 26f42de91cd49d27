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

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener.Operation;
import org.litestream4j.replica.RequestListener.Outcome;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.ResumingInputStream;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;
import org.slf4j.LoggerFactory;

/** A store that answers late, wrongly, by half or not at all: what was asked happens once, or an error is thrown. */
class S3FaultTest {

    private static final int MIB = 1 << 20;

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static S3Server server;

    private final List<Request> counted = new CopyOnWriteArrayList<>();

    private FaultProxy proxy;

    private String path;

    private ReplicaClient client;

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void open() throws Exception {
        proxy = new FaultProxy(server.port());
        path = server.freshPath();
        client = client("");
        put(client, 8, name(1), bytes(1, 1)); // so that it knows the store already: S3FenceTest
        counted.clear();
        proxy.seen.clear();
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        proxy.close();
    }

    private ReplicaClient client(String parameters) {
        return S3TestClients.open(S3Server.location(proxy.port(), path, parameters), counted::add);
    }

    /** These faults on the first requests of a method, then none. */
    private void faults(String method, Fault... faults) {
        Deque<Fault> left = new ArrayDeque<>(Arrays.asList(faults));
        proxy.faults = request -> {
            synchronized (left) {
                return request.method().equals(method) && !left.isEmpty() ? left.poll() : NONE;
            }
        };
    }

    private List<String> counts() {
        return counted.stream()
                .map(request -> request.operation() + " " + request.outcome())
                .toList();
    }

    private String key(int level, LtxFileName name) {
        return new S3Keys(path).key(level, name);
    }

    private List<String> unfinishedUploads() {
        return server.sdk().listMultipartUploads(request -> request.bucket(S3Server.BUCKET)).uploads().stream()
                .map(upload -> upload.key())
                .filter(key -> key.startsWith(path + "/"))
                .toList();
    }

    @Test
    void publish_answerLost_findsItsOwnFile() throws Exception {
        faults("PUT", new Fault.ResetAfter());
        put(client, 0, name(1), bytes(3000, 1));
        assertThat(read(client, 0, name(1))).isEqualTo(bytes(3000, 1));
        assertThat(counts()).containsExactly("PUT FAILED", "PUT CONFLICT", "GET SUCCESS", "GET SUCCESS");
    }

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

    private static boolean isComplete(Seen request) {
        return request.method().equals("POST") && request.target().contains("uploadId=");
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
        assertThat(counted).last().isEqualTo(new Request(Operation.MULTIPART_ABORT, Outcome.SUCCESS, 0, 0));
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
        assertThat(ranges)
                .containsExactly(
                        "", "bytes=150000-299999", "bytes=225000-299999", "bytes=225000-299999", "bytes=262500-299999");
        long received = counted.stream()
                .filter(request -> request.operation() == Operation.GET)
                .mapToLong(Request::bytesReceived)
                .sum();
        assertThat(received).isEqualTo(content.length);
    }

    @Test
    void read_fileReplacedMeanwhile_isNotMixed() throws Exception {
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
                .isInstanceOf(ReplicaException.class)
                .hasMessageContaining("412");
    }

    /** The reader begins again with the new file; a mixture of both would look like damage. */
    @Test
    void resumedRead_fileReplacedMeanwhile_saysSo() throws Exception {
        put(client, 0, name(1), bytes(300_000, 5));
        AtomicBoolean replaced = new AtomicBoolean();
        proxy.faults = request -> {
            if (!request.method().equals("GET")) {
                return NONE;
            }
            if (replaced.get()) {
                return NONE;
            }
            replaced.set(true);
            return new Fault.HalfBody();
        };
        LtxFileInfo file = new LtxFileInfo(0, name(1), 300_000, Instant.EPOCH, true);
        try (ResumingInputStream in =
                new ResumingInputStream(client, file, "0/" + name(1), 0, 300_000, new ResumingInputStream.Reader() {
                    @Override
                    public void check() {}

                    @Override
                    public void pause(long millis) {}
                })) {
            assertThat(in.read()).isNotNegative();
            server.sdk()
                    .putObject(
                            put -> put.bucket(S3Server.BUCKET).key(key(0, name(1))),
                            software.amazon.awssdk.core.sync.RequestBody.fromBytes(bytes(300_000, 6)));
            assertThatThrownBy(in::readAllBytes)
                    .isInstanceOf(ReplicaFileChangedException.class)
                    .hasMessageContaining(name(1).toString());
        }
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
        assertThatThrownBy(() -> read(client, 0, name(1)))
                .isExactlyInstanceOf(ReplicaException.class)
                .hasMessageContaining("the connection broke 4 times");
    }

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

    @Test
    void conditionalWrites_notSupported_areDroppedWithOneWarningEach() throws Exception {
        ch.qos.logback.classic.Logger logger =
                (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("org.litestream4j.replica.s3");
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        try {
            proxy.faults = request -> request.header("if-none-match").isEmpty() ? NONE : error(501, "NotImplemented");
            put(client, 0, name(1), bytes(10, 1));
            put(client, 0, name(2), bytes(10, 2));
            put(client, 9, name(1), bytes(6 * MIB, 3));
            assertThatThrownBy(() -> put(client, 0, name(1), bytes(10, 9)))
                    .isInstanceOf(ReplicaConflictException.class);
            put(client, 0, name(1), bytes(10, 1));
        } finally {
            logger.detachAppender(log);
        }
        assertThat(read(client, 0, name(1))).isEqualTo(bytes(10, 1));
        assertThat(log.list).filteredOn(event -> event.getLevel() == Level.WARN).hasSize(2); // small, in parts
        assertThat(proxy.seen)
                .filteredOn(request -> !request.header("if-none-match").isEmpty())
                .hasSize(2);
    }

    @Test
    void conditionalWrites_notSupportedForParts_staysForSmallFiles() throws Exception {
        proxy.faults = request ->
                isComplete(request) && !request.header("if-none-match").isEmpty() ? error(501, "NotImplemented") : NONE;
        put(client, 9, name(1), bytes(6 * MIB, 3));
        put(client, 0, name(1), bytes(10, 1));
        assertThat(proxy.seen.get(proxy.seen.size() - 1).header("if-none-match"))
                .isEqualTo("*");
        assertThat(unfinishedUploads()).isEmpty();
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

    @Test
    void conditionalWrites_onButNotSupported_isRefused() throws Exception {
        try (ReplicaClient strict = client("&conditionalWrites=on")) {
            proxy.faults = request -> request.header("if-none-match").isEmpty() ? NONE : error(501, "NotImplemented");
            assertThatThrownBy(() -> put(strict, 0, name(1), bytes(10, 1)))
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("conditional-writes");
        }
        assertThat(list(client, 0)).isEmpty();
    }

    @Test
    void conditionalWrites_refusedForAnotherReason_stayOn() throws Exception {
        proxy.faults = request -> request.method().equals("PUT") ? error(400, "InvalidRequest") : NONE;
        assertThatThrownBy(() -> put(client, 0, name(1), bytes(10, 1))).hasMessageContaining("400 InvalidRequest");
        proxy.faults = request -> NONE;
        put(client, 0, name(1), bytes(10, 1));
        assertThat(proxy.seen.get(proxy.seen.size() - 1).header("if-none-match"))
                .isEqualTo("*");
    }

    @Test
    void conditionalWrites_off_looksBeforeItWrites() throws Exception {
        try (ReplicaClient relaxed = client("&conditional-writes=off")) {
            put(relaxed, 0, name(1), bytes(10, 1));
            assertThat(counts()).containsExactly("GET NOT_FOUND", "PUT SUCCESS");
            assertThatThrownBy(() -> put(relaxed, 0, name(1), bytes(10, 2)))
                    .isInstanceOf(ReplicaConflictException.class);
        }
        assertThat(proxy.seen)
                .allMatch(request -> request.header("if-none-match").isEmpty());
    }

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
