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

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.slf4j.LoggerFactory;

/** Stores that know conditional writes, by half or not at all. */
class S3ConditionalWritesTest extends S3FaultFixture {

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
}
