package org.litestream4j.replica.nats;

import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.Subscription;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.ConsumerCreateRequest;
import io.nats.client.api.ConsumerInfo;
import io.nats.client.api.DeliverPolicy;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;

/**
 * Reads many messages of the stream with one request: all messages stored under a subject (which may contain wildcards)
 * at that moment. The server sends only as many messages as were requested, so memory use stays small. A scan restarts
 * if the connection breaks.
 */
final class StreamScan {

    private static final Duration HEARTBEAT = Duration.ofMillis(500);

    private static final int ATTEMPTS = 3;

    /**
     * Maximum number of attempts to create a consumer. A cluster places a consumer on any of the stream's servers, for
     * minutes even on a server that was killed and never responds (observed with 2.9.10); the next consumer may be
     * placed on another.
     */
    private static final int PLACEMENTS = 8;

    private static final Duration PLACEMENT = Duration.ofSeconds(2);

    /** Sequences of the consumer in the heartbeats of a server that has no more messages to send. */
    private static final String LAST_CONSUMER = "Nats-Last-Consumer";

    private static final String STALLED = "Nats-Consumer-Stalled";

    /** Messages of a subject to read, and the part of each message. */
    enum Kind {
        /** The newest message of each subject, with content. */
        NEWEST,
        /** The newest message of each subject, without content. */
        NEWEST_HEADERS,
        /** All messages, without content; its size is in the header {@link #SIZE}. */
        ALL_HEADERS
    }

    static final String SIZE = "Nats-Msg-Size";

    /** Receives the messages of one scan. */
    interface Sink {
        /** Called when a scan begins. Messages of an earlier attempt must be discarded. */
        void begin();

        void take(Message message) throws IOException;
    }

    private final NatsBucket bucket;

    StreamScan(NatsBucket bucket) {
        this.bucket = bucket;
    }

    /**
     * Runs the scan, up to three times if the connection breaks.
     *
     * @throws ReplicaAccessException if the bucket does not exist
     */
    void run(String subject, Kind kind, Sink sink) throws IOException {
        for (int attempt = 1; ; attempt++) {
            long start = System.nanoTime();
            try {
                runOnce(subject, kind, sink);
                return;
            } catch (LostException e) {
                if (attempt == ATTEMPTS || !bucket.link().mayRepeat(start, e)) {
                    throw e;
                }
            }
        }
    }

    /** Runs one attempt, for readers, which retry themselves. */
    void runOnce(String subject, Kind kind, Sink sink) throws IOException {
        attempt(subject, kind, sink);
        bucket.report(RequestType.LIST, RequestResult.SUCCESS, 0, 0);
    }

    /**
     * A consumer may read from a server of the cluster that is behind, and would return an older
     * state as the newest. Therefore, the leader is first asked for the newest message, and a scan that does not
     * include it is invalid.
     */
    private void attempt(String subject, Kind kind, Sink sink) throws IOException {
        long newest = kind == Kind.ALL_HEADERS ? 0 : bucket.newestSequence(subject);
        if (scan(subject, kind, sink) < newest) {
            throw lost("a server of the cluster that listed the bucket has not caught up yet", null);
        }
    }

    /** Returns the highest sequence received; 0 if there was no message. */
    private long scan(String subject, Kind kind, Sink sink) throws IOException {
        Connection connection = bucket.link().connection();
        for (int placement = 1; ; placement++) {
            String inbox = connection.createInbox();
            Subscription subscription;
            try {
                subscription = connection.subscribe(inbox);
            } catch (IllegalStateException e) {
                throw lost("the connection is down", e);
            }
            try {
                sink.begin();
                ConsumerInfo consumer = create(subject, kind, inbox);
                if (consumer != null) {
                    return consumer.getCalculatedPending() > 0 ? drain(connection, subscription, sink) : 0;
                }
            } finally {
                try {
                    subscription.unsubscribe(); // not reused: a late message must not mix two consumers
                } catch (IllegalStateException e) {
                    // The connection is closed, and the subscription with it.
                }
            }
            if (placement == PLACEMENTS || connection.getStatus() != Connection.Status.CONNECTED) {
                throw lost("no server of the cluster lists the bucket", null);
            }
        }
    }

    /** Creates a consumer; returns null if its server does not respond. */
    private @Nullable ConsumerInfo create(String subject, Kind kind, String inbox) throws IOException {
        ConsumerConfiguration consumer = ConsumerConfiguration.builder()
                .deliverSubject(inbox)
                .deliverPolicy(kind == Kind.ALL_HEADERS ? DeliverPolicy.All : DeliverPolicy.LastPerSubject)
                .filterSubject(subject)
                .ackPolicy(AckPolicy.None)
                .headersOnly(kind != Kind.NEWEST)
                .flowControl(HEARTBEAT)
                .memStorage(true)
                .numReplicas(1)
                .build();
        Message answer = bucket.askWithin(
                PLACEMENT,
                RequestType.LIST,
                "CONSUMER.CREATE." + bucket.stream(),
                new ConsumerCreateRequest(bucket.stream(), consumer).serialize());
        if (answer == null) {
            return null;
        }
        ConsumerInfo info = new ConsumerInfo(answer);
        bucket.check(info, RequestType.LIST, "list the bucket");
        return info;
    }

    private long drain(Connection connection, Subscription subscription, Sink sink) throws IOException {
        long received = 0;
        long highest = 0;
        while (true) {
            Message message = next(subscription);
            if (!message.isStatusMessage()) {
                if (message.metaData().consumerSequence() != ++received) {
                    throw lost("messages of a listing were lost", null);
                }
                highest = Math.max(highest, message.metaData().streamSequence());
                sink.take(message);
                if (message.metaData().pendingCount() == 0) {
                    return highest;
                }
            } else if (!wanted(message).isEmpty()) {
                connection.publish(wanted(message), null);
            } else if (isEnd(message, received)) {
                return highest;
            }
        }
    }

    /**
     * Returns the reply subject if the server waits for a confirmation that all messages so far were received; empty if
     * it does not wait.
     */
    private static String wanted(Message status) {
        String reply = status.getReplyTo();
        if (reply == null || reply.isEmpty()) {
            reply = status.hasHeaders() ? status.getHeaders().getFirst(STALLED) : null;
        }
        return reply == null ? "" : reply;
    }

    /**
     * Returns whether a heartbeat reports that the server has no more messages; the last messages may have been deleted
     * in the meantime.
     */
    private boolean isEnd(Message heartbeat, long received) throws IOException {
        String last = heartbeat.hasHeaders() ? heartbeat.getHeaders().getFirst(LAST_CONSUMER) : null;
        if (last != null && !last.equals(Long.toString(received))) {
            throw lost("messages of a listing were lost", null);
        }
        return last != null;
    }

    private Message next(Subscription subscription) throws IOException {
        try {
            Message message = subscription.nextMessage(HEARTBEAT.multipliedBy(6));
            if (message != null) {
                return message;
            }
        } catch (IllegalStateException e) {
            throw lost("the connection broke", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while listing").initCause(e);
        }
        throw lost("the server went silent in the middle of a listing", null);
    }

    private LostException lost(String problem, @Nullable Throwable cause) {
        return new LostException(bucket.settings().url(), problem, false, cause);
    }
}
