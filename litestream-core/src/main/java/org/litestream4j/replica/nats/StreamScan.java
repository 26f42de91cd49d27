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
import org.litestream4j.replica.RequestListener.Operation;
import org.litestream4j.replica.RequestListener.Outcome;

/**
 * Reads many messages of the stream with one request: what is stored under a subject (which may hold wildcards) at the
 * moment. The server sends no more than we take, so memory stays small. A scan that the connection breaks begins again.
 */
final class StreamScan {

    private static final Duration HEARTBEAT = Duration.ofMillis(500);

    private static final int ATTEMPTS = 3;

    /**
     * A cluster places a consumer on any of the stream's servers, for minutes also on one that was killed, which never answers
     * (seen with 2.9.10): the next may be placed on another.
     */
    private static final int PLACEMENTS = 8;

    private static final Duration PLACEMENT = Duration.ofSeconds(2);

    /** Sequences of the consumer, in the heartbeats of a server that has nothing more to send. */
    private static final String LAST_CONSUMER = "Nats-Last-Consumer";

    private static final String STALLED = "Nats-Consumer-Stalled";

    /** What to read of each subject, and of each message. */
    enum Kind {
        /** The newest message of each subject, whole. */
        NEWEST,
        /** The newest message of each subject, without its content. */
        NEWEST_HEADERS,
        /** All messages, without their content: their size is in the header {@link #SIZE}. */
        ALL_HEADERS
    }

    static final String SIZE = "Nats-Msg-Size";

    /** Takes the messages of one scan. */
    interface Sink {
        /** A scan begins: forget what an earlier attempt brought. */
        void begin();

        void take(Message message) throws IOException;
    }

    private final NatsBucket bucket;

    StreamScan(NatsBucket bucket) {
        this.bucket = bucket;
    }

    /** @throws ReplicaAccessException if there is no such bucket */
    void run(String subject, Kind kind, Sink sink) throws IOException {
        for (int attempt = 1; ; attempt++) {
            long start = System.nanoTime();
            try {
                attempt(subject, kind, sink);
                bucket.report(Operation.LIST, Outcome.SUCCESS, 0, 0);
                return;
            } catch (LostException e) {
                if (attempt == ATTEMPTS || !bucket.link().mayRepeat(start, e)) {
                    throw e;
                }
            }
        }
    }

    /**
     * A consumer reads from any server of a cluster, also from one that has not caught up yet and would show an older state as
     * if it were the newest. So the leader is asked first what the newest message is, and a scan without it does not count.
     */
    private void attempt(String subject, Kind kind, Sink sink) throws IOException {
        long newest = kind == Kind.ALL_HEADERS ? 0 : bucket.newestSequence(subject);
        if (scan(subject, kind, sink) < newest) {
            throw lost("a server of the cluster that listed the bucket has not caught up yet", null);
        }
    }

    /** The highest sequence that was seen; 0 if there was no message. */
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
                    subscription.unsubscribe(); // not used again: a late answer must not mix two consumers
                } catch (IllegalStateException e) {
                    // The connection has gone, and the subscription with it.
                }
            }
            if (placement == PLACEMENTS || connection.getStatus() != Connection.Status.CONNECTED) {
                throw lost("no server of the cluster lists the bucket", null);
            }
        }
    }

    /** Null if the server that should serve it does not answer. */
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
                Operation.LIST,
                "CONSUMER.CREATE." + bucket.stream(),
                new ConsumerCreateRequest(bucket.stream(), consumer).serialize());
        if (answer == null) {
            return null;
        }
        ConsumerInfo info = new ConsumerInfo(answer);
        bucket.check(info, Operation.LIST, "list the bucket");
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

    /** Where the server waits to hear that we have taken all that came before; empty if it does not wait. */
    private static String wanted(Message status) {
        String reply = status.getReplyTo();
        if (reply == null || reply.isEmpty()) {
            reply = status.hasHeaders() ? status.getHeaders().getFirst(STALLED) : null;
        }
        return reply == null ? "" : reply;
    }

    /** A server without more to send says so; the last messages may have been deleted meanwhile. */
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
