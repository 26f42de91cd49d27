package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.FaultProxy.error;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener.Request;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/** Parts of uploads that a killed process left behind. */
class S3LeftoversTest {

    private static final int MIB = 1 << 20;

    private static S3Server server;

    private final List<Request> counted = new CopyOnWriteArrayList<>();

    private FaultProxy proxy;

    private String path;

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
    }

    @AfterEach
    void close() throws Exception {
        proxy.close();
    }

    private ReplicaClient clientAfter(Duration time) {
        Clock clock = Clock.fixed(Instant.now().plus(time), ZoneOffset.UTC);
        return S3TestClients.open(S3Server.location(proxy.port(), path, ""), counted::add, clock);
    }

    /** An upload whose process was killed. */
    private void leave(String key) {
        server.sdk()
                .createMultipartUpload(create -> create.bucket(S3Server.BUCKET).key(key));
    }

    private List<String> unfinished() {
        return server.sdk().listMultipartUploads(request -> request.bucket(S3Server.BUCKET)).uploads().stream()
                .map(MultipartUpload::key)
                .filter(key -> key.startsWith(path))
                .toList();
    }

    private List<String> counts() {
        return counted.stream()
                .map(request -> request.type() + " " + request.outcome())
                .toList();
    }

    @Test
    void delete_oldUploadOfThisReplica_isDiscarded() throws Exception {
        String own = new S3Keys(path).key(9, name(1));
        leave(own);
        leave(path + "/0009/notes.txt");
        leave(path + "-other/0009/" + name(1));
        try (ReplicaClient client = clientAfter(S3Leftovers.SAFE_AGE.plusMinutes(1))) {
            client.delete(0, List.of(name(1)));
            client.delete(0, List.of(name(2)));
        }
        assertThat(unfinished()).containsExactlyInAnyOrder(path + "/0009/notes.txt", path + "-other/0009/" + name(1));
        assertThat(counts())
                .containsExactly("DELETE SUCCESS", "LIST SUCCESS", "MULTIPART_ABORT SUCCESS", "DELETE SUCCESS");
    }

    @Test
    void delete_youngUpload_isLeftAlone() throws Exception {
        leave(new S3Keys(path).key(9, name(1)));
        try (ReplicaClient client = clientAfter(S3Leftovers.SAFE_AGE.minusMinutes(5))) {
            client.delete(0, List.of(name(1)));
        }
        assertThat(unfinished()).hasSize(1);
    }

    @Test
    void delete_ownUploadStillRunning_isLeftAlone() throws Exception {
        try (ReplicaClient client = clientAfter(S3Leftovers.SAFE_AGE.plusMinutes(1));
                ReplicaUpload upload = client.write(9, name(1), S3TestClients.TIME)) {
            upload.write(bytes(6 * MIB, 1));
            client.delete(0, List.of(name(1)));
            assertThat(unfinished()).hasSize(1);
            upload.publish();
            assertThat(S3TestClients.read(client, 9, name(1))).isEqualTo(bytes(6 * MIB, 1));
        }
    }

    @Test
    void upload_leftoversOfTheSameFile_areDiscardedUnlessTheyAreYoung() throws Exception {
        String same = new S3Keys(path).key(9, name(1));
        String other = new S3Keys(path).key(9, name(2));
        leave(same);
        leave(same);
        leave(other);
        for (Duration age :
                List.of(S3Leftovers.SAME_FILE_AGE.minusMinutes(5), S3Leftovers.SAME_FILE_AGE.plusMinutes(1))) {
            try (ReplicaClient client = clientAfter(age);
                    ReplicaUpload upload = client.write(9, name(1), S3TestClients.TIME)) {
                upload.write(bytes(6 * MIB, 1));
                boolean old = age.compareTo(S3Leftovers.SAME_FILE_AGE) > 0;
                assertThat(unfinished())
                        .containsExactlyInAnyOrderElementsOf(
                                old ? List.of(same, other) : List.of(same, same, same, other));
            }
        }
        assertThat(unfinished()).containsExactly(other);
    }

    @Test
    void writeListAndIdle_neverLook() throws Exception {
        try (ReplicaClient client = clientAfter(Duration.ZERO)) {
            client.prepare();
            put(client, 0, name(1), bytes(10, 1));
            client.delete(0, List.of());
        }
        assertThat(proxy.seen).noneMatch(request -> request.target().contains("uploads"));
    }

    @Test
    void delete_lookingIsDenied_worksAndTellsOnceWhichRule() throws Exception {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger("org.litestream4j.replica.s3");
        Level before = logger.getLevel();
        logger.setLevel(Level.INFO);
        log.start();
        logger.addAppender(log);
        proxy.faults = request -> request.target().contains("uploads") ? error(403, "AccessDenied") : NONE;
        try (ReplicaClient client = clientAfter(Duration.ZERO)) {
            put(client, 0, name(1), bytes(10, 1));
            client.delete(0, List.of(name(1)));
            client.delete(0, List.of(name(2)));
            assertThat(S3TestClients.list(client, 0)).isEmpty();
        } finally {
            logger.detachAppender(log);
            logger.setLevel(before);
        }
        assertThat(log.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .filteredOn(message -> message.contains("AbortIncompleteMultipartUpload"))
                .hasSize(1);
    }
}
