package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.FaultProxy.error;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;
import static org.litestream4j.replica.s3.S3TestClients.read;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.slf4j.LoggerFactory;

/** Stores that take {@code If-None-Match} and overwrite all the same, and those that obey. */
class S3FenceTest {

    private static final int MIB = 1 << 20;

    private static S3Server server;

    private final List<Request> counted = new CopyOnWriteArrayList<>();

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    private FaultProxy proxy;

    private String path;

    private ReplicaClient client;

    @BeforeAll
    static void start() throws Exception {
        server = S3Server.trusting();
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
        log.start();
        logger().addAppender(log);
    }

    @AfterEach
    void close() throws Exception {
        logger().detachAppender(log);
        client.close();
        proxy.close();
    }

    private static Logger logger() {
        return (Logger) LoggerFactory.getLogger("org.litestream4j.replica.s3");
    }

    private ReplicaClient client(String parameters) {
        return S3TestClients.open(S3Server.location(proxy.port(), path, parameters), counted::add);
    }

    private void ignoreConditions() {
        proxy.faults = request -> new Fault.Without("if-none-match");
    }

    private List<String> counts() {
        return counted.stream()
                .map(request -> request.type() + " " + request.outcome())
                .toList();
    }

    private List<String> warnings() {
        return log.list.stream()
                .filter(event -> event.getLevel() == Level.WARN)
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    @Test
    void obeyed_isProvenByTheFirstFile_andCostsNothingLater() throws Exception {
        put(client, 0, name(1), bytes(100, 1));
        assertThat(counts()).containsExactly("GET NOT_FOUND", "PUT SUCCESS", "PUT CONFLICT");
        counted.clear();
        put(client, 0, name(2), bytes(100, 2));
        put(client, 1, name(2), bytes(100, 2));
        assertThat(counts()).containsExactly("PUT SUCCESS", "PUT SUCCESS");
        assertThat(warnings()).isEmpty();
    }

    @Test
    void ignored_isSeenOnce_thenWeLookBeforeWeWrite() throws Exception {
        ignoreConditions();
        put(client, 0, name(1), bytes(100, 1));
        assertThat(counts()).containsExactly("GET NOT_FOUND", "PUT SUCCESS", "PUT SUCCESS");
        counted.clear();
        put(client, 0, name(2), bytes(100, 2));
        assertThat(counts()).containsExactly("GET NOT_FOUND", "PUT SUCCESS");
        assertThatThrownBy(() -> put(client, 0, name(2), bytes(100, 3))).isInstanceOf(ReplicaConflictException.class);
        assertThat(read(client, 0, name(2))).isEqualTo(bytes(100, 2));
        assertThat(warnings()).singleElement().asString().contains("ignores conditional writes");
        assertThat(S3TestClients.list(client, 0)).containsExactly(name(1), name(2)); // the probe leaves nothing
    }

    @Test
    void ignored_theFirstFileOverwritesNobody() throws Exception {
        put(client, 0, name(1), bytes(100, 1));
        ignoreConditions();
        try (ReplicaClient other = client("")) {
            assertThatThrownBy(() -> put(other, 0, name(1), bytes(100, 2)))
                    .isInstanceOf(ReplicaConflictException.class);
        }
        assertThat(read(client, 0, name(1))).isEqualTo(bytes(100, 1));
    }

    @Test
    void ignored_largeFiles_overwriteNobody() throws Exception {
        byte[] first = bytes(6 * MIB, 1);
        put(client, 9, name(1), first);
        ignoreConditions();
        assertThatThrownBy(() -> put(client, 9, name(1), bytes(6 * MIB, 2)))
                .isInstanceOf(ReplicaConflictException.class);
        assertThat(read(client, 9, name(1))).isEqualTo(first);
    }

    @Test
    void ignored_butAskedFor_isRefused() throws Exception {
        ignoreConditions();
        try (ReplicaClient strict = client("&conditional-writes=on")) {
            for (int attempt = 1; attempt <= 2; attempt++) {
                assertThatThrownBy(() -> put(strict, 0, name(1), bytes(100, 1)))
                        .isInstanceOf(ReplicaAccessException.class)
                        .hasMessageContaining("overwrote")
                        .hasMessageContaining("conditional-writes");
            }
        }
        assertThat(warnings()).isEmpty();
    }

    @Test
    void probe_fails_isMadeWithTheNextFile() throws Exception {
        int[] puts = {0};
        proxy.faults = request ->
                request.method().equals("PUT") && ++puts[0] >= 2 && puts[0] <= 5 ? error(500, "InternalError") : NONE;
        put(client, 0, name(1), bytes(100, 1));
        counted.clear();
        put(client, 0, name(2), bytes(100, 2));
        assertThat(counts()).containsExactly("GET NOT_FOUND", "PUT SUCCESS", "PUT CONFLICT");
        assertThat(warnings()).isEmpty();
    }

    @Test
    void off_isNeverProbed() throws Exception {
        try (ReplicaClient relaxed = client("&conditional-writes=off")) {
            put(relaxed, 0, name(1), bytes(100, 1));
        }
        assertThat(counts()).containsExactly("GET NOT_FOUND", "PUT SUCCESS");
    }

    @Test
    void amazon_promises_andIsNotProbed() {
        assertThat(S3Vendor.of(null).refusesTakenNames()).isTrue();
        assertThat(S3Vendor.OTHER.refusesTakenNames()).isFalse();
    }
}
