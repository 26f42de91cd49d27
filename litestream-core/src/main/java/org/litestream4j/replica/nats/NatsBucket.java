package org.litestream4j.replica.nats;

import io.nats.client.JetStreamApiException;
import io.nats.client.Message;
import io.nats.client.PurgeOptions;
import io.nats.client.api.ApiResponse;
import io.nats.client.api.Error;
import io.nats.client.api.MessageGetRequest;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.ObjectInfo;
import io.nats.client.api.PublishAck;
import io.nats.client.api.PurgeResponse;
import io.nats.client.impl.Headers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;

/**
 * The part of the object store's protocol that replicas need: the subjects of a bucket, and single requests to its
 * stream. Thread-safe.
 */
final class NatsBucket {

    static final String STREAM_PREFIX = "OBJ_";

    /** The chunk size of Litestream and of all NATS clients, in bytes. */
    static final int CHUNK_SIZE = 128 * 1024;

    /** Size of a chunk with its headers, in bytes. */
    static final int NEEDED_MESSAGE_SIZE = CHUNK_SIZE + 1024;

    private static final String ROLLUP = "Nats-Rollup";
    private static final String MESSAGE_ID = "Nats-Msg-Id";
    private static final String EXPECTED_PREDECESSOR = "Nats-Expected-Last-Subject-Sequence";

    private static final String ABANDONED_AFTER = Long.toString(OrphanedChunks.ABANDONED.toSeconds());

    private final NatsSettings settings;
    private final NatsLink link;
    private final RequestListener listener;
    private final String stream;
    private final AtomicBoolean leavesChunks = new AtomicBoolean();

    /** Whether messages may be requested from any server that has them; null if not known yet. */
    private volatile @Nullable Boolean direct;

    NatsBucket(NatsSettings settings, NatsLink link, RequestListener listener) {
        this.settings = settings;
        this.link = link;
        this.listener = listener;
        stream = STREAM_PREFIX + settings.bucket();
    }

    NatsSettings settings() {
        return settings;
    }

    NatsLink link() {
        return link;
    }

    String stream() {
        return stream;
    }

    String chunkSubject(String nuid) {
        return "$O." + settings.bucket() + ".C." + nuid;
    }

    String metaSubject(String objectName) {
        return "$O." + settings.bucket() + ".M."
                + Base64.getUrlEncoder().encodeToString(objectName.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the name of the object whose description has this subject; null if the subject is not that of a description. */
    @Nullable
    String objectName(String metaSubject) {
        String prefix = "$O." + settings.bucket() + ".M.";
        if (!metaSubject.startsWith(prefix)) {
            return null;
        }
        try {
            byte[] name = Base64.getUrlDecoder().decode(metaSubject.substring(prefix.length()));
            return new String(name, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Returns an object's description, possibly from a server of the cluster that is behind; null if there is none. */
    @Nullable
    StoredObject find(String objectName) throws IOException {
        return description(ask(RequestType.HEAD, "STREAM.MSG.GET." + stream, newest(objectName)), objectName);
    }

    /** Does the same as {@link #find} with one request, which is not repeated: for readers, which retry themselves. */
    @Nullable
    StoredObject findOnce(String objectName) throws IOException {
        return description(askOnce(RequestType.HEAD, "STREAM.MSG.GET." + stream, newest(objectName)), objectName);
    }

    private byte[] newest(String objectName) {
        return MessageGetRequest.lastForSubject(metaSubject(objectName)).serialize();
    }

    /**
     * Returns the sequence of the newest message on a subject, as known to the stream's leader; 0 if there is none.
     *
     * @param subject subject; may contain wildcards
     */
    long newestSequence(String subject) throws IOException {
        Message answer = ask(
                RequestType.HEAD,
                "STREAM.MSG.GET." + stream,
                MessageGetRequest.lastForSubject(subject).serialize());
        MessageInfo info = new MessageInfo(answer, stream, false);
        if (isMissing(info, RequestType.HEAD, "list the bucket")) {
            return 0;
        }
        report(RequestType.HEAD, RequestResult.SUCCESS, 0, 0);
        return info.getSeq();
    }

    private @Nullable StoredObject description(Message answer, String objectName) throws IOException {
        MessageInfo info = new MessageInfo(answer, stream, false);
        if (isMissing(info, RequestType.HEAD, "look for " + objectName)) {
            return null;
        }
        report(RequestType.HEAD, RequestResult.SUCCESS, 0, 0);
        try {
            ZonedDateTime time = info.getTime();
            return StoredObject.of(
                    new ObjectInfo(info), time == null ? Instant.EPOCH : time.toInstant(), info.getSeq());
        } catch (IOException | RuntimeException e) {
            throw new ReplicaException(
                    settings.url(), "cannot use the object " + objectName, "inspect it with nats object info", e);
        }
    }

    /** Returns whether the response reports that there is no such message. */
    private boolean isMissing(MessageInfo info, RequestType operation, String doing) throws IOException {
        if (info.hasError() && info.getApiErrorCode() == ApiErrors.NO_MESSAGE) {
            report(operation, RequestResult.NOT_FOUND, 0, 0);
            return true;
        }
        check(info, operation, doing);
        return false;
    }

    /** Records the configuration of the bucket. */
    void allowsDirect(boolean allows) {
        direct = allows;
    }

    private boolean isDirect() throws IOException {
        if (direct == null) {
            new BucketSetup(this).infoOnce();
        }
        return Boolean.TRUE.equals(direct);
    }

    /** Requests the message at a sequence, to be received by {@link #chunk}; returns null if it must be requested there. */
    NatsLink.@Nullable Call sendForChunk(long sequence) throws IOException {
        if (!isDirect()) {
            return null; // no server would respond
        }
        return link.send(
                "$JS.API.DIRECT.GET." + stream,
                null,
                MessageGetRequest.forSequence(sequence).serialize());
    }

    /**
     * Returns the content of a chunk; null if there is no message at that sequence, or if it has another subject. A lost
     * request is sent once more, to the leader of the stream. Further retries are up to the reader.
     *
     * @param sent the request; null to send it now
     */
    byte @Nullable [] chunk(NatsLink.@Nullable Call sent, String subject, long sequence) throws IOException {
        Message answer = null;
        if (sent != null) {
            try {
                answer = link.await(sent, link.timeoutNanos());
            } catch (LostException e) {
                report(RequestType.GET, RequestResult.FAILED, 0, 0);
            }
        }
        if (answer != null && !answer.isStatusMessage()) {
            return content(new MessageInfo(answer, stream, true), subject, sequence);
        }
        // Missing at the server that responded, which may be behind the others; or lost.
        answer = askOnce(
                RequestType.GET,
                "STREAM.MSG.GET." + stream,
                MessageGetRequest.forSequence(sequence).serialize());
        MessageInfo info = new MessageInfo(answer, stream, false);
        return isMissing(info, RequestType.GET, "give a chunk") ? null : content(info, subject, sequence);
    }

    private byte @Nullable [] content(MessageInfo info, String subject, long sequence) {
        byte[] data = info.getData() == null ? new byte[0] : info.getData();
        report(RequestType.GET, RequestResult.SUCCESS, 0, data.length);
        return subject.equals(info.getSubject()) && info.getSeq() == sequence ? data : null;
    }

    /**
     * Publishes a chunk. The stream stores it once, even if it is sent again within the stream's duplicate window.
     *
     * @param earlier request of the previous chunk, if that chunk is not acknowledged yet
     * @throws LostException if the two chunks cannot be sent over the same connection
     */
    NatsLink.Call sendChunk(String subject, long number, byte[] data, NatsLink.@Nullable Call earlier)
            throws IOException {
        String id = subject.substring(subject.lastIndexOf('.') + 1) + "-" + number;
        return link.send(
                subject, new Headers().put(MESSAGE_ID, id).put(OrphanedChunks.HEADER, ABANDONED_AFTER), data, earlier);
    }

    /**
     * Returns the sequence at which a chunk was stored.
     *
     * @throws LostException if the chunk may or may not be stored
     */
    long stored(NatsLink.Call sent, int length) throws IOException {
        return acknowledged(sent, RequestType.MULTIPART_PART, length, "store a chunk");
    }

    /**
     * Publishes an object's description, which makes the object visible.
     *
     * @param predecessor sequence of the description that is replaced; 0 if there must be none
     * @return sequence of the description; -1 if there is another description
     * @throws LostException if the description may or may not be stored
     */
    long describe(String objectName, ObjectInfo description, long predecessor) throws IOException {
        Headers headers = new Headers().put(ROLLUP, "sub").put(EXPECTED_PREDECESSOR, Long.toString(predecessor));
        NatsLink.Call sent = link.send(metaSubject(objectName), headers, description.serialize());
        return acknowledged(sent, RequestType.MULTIPART_COMPLETE, 0, "publish " + objectName);
    }

    private long acknowledged(NatsLink.Call sent, RequestType operation, int length, String doing) throws IOException {
        Message answer = awaiting(sent, operation);
        try {
            PublishAck ack = new PublishAck(answer);
            report(operation, RequestResult.SUCCESS, length, 0);
            return ack.getSeqno();
        } catch (JetStreamApiException e) {
            if (ApiErrors.isWrongPredecessor(e)) {
                report(operation, RequestResult.CONFLICT, length, 0);
                return -1;
            }
            report(operation, RequestResult.REFUSED, length, 0);
            throw ApiErrors.isStoreFailure(e) && new BucketSetup(this).isFull()
                    ? ApiErrors.full(settings, e)
                    : ApiErrors.translate(settings, doing, e);
        }
    }

    /** Requests the removal of a subject's messages below a sequence; {@link #purged} receives the response. */
    NatsLink.Call sendPurge(String subject, long belowSequence) throws IOException {
        PurgeOptions options =
                PurgeOptions.builder().subject(subject).sequence(belowSequence).build();
        return link.send("$JS.API.STREAM.PURGE." + stream, null, options.serialize());
    }

    void purged(NatsLink.Call sent, RequestType operation) throws IOException {
        check(new PurgeResponse(awaiting(sent, operation)), operation, "purge a deleted file");
        report(operation, RequestResult.SUCCESS, 0, 0);
    }

    /** Sets whether the chunks of the last unfinished upload could not be removed, and returns the previous value. */
    boolean leavesChunks(boolean now) {
        return leavesChunks.getAndSet(now);
    }

    /** Removes all chunks of an object. */
    void purgeChunks(String nuid, RequestType operation) throws IOException {
        Message answer = ask(
                operation,
                "STREAM.PURGE." + stream,
                PurgeOptions.subject(chunkSubject(nuid)).serialize());
        check(new PurgeResponse(answer), operation, "purge chunks");
        report(operation, RequestResult.SUCCESS, 0, 0);
    }

    /** Sends a request of JetStream's API that may be repeated, and repeats it while the connection is broken. */
    Message ask(RequestType operation, String api, byte[] body) throws IOException {
        return answer(operation, () -> link.request("$JS.API." + api, body));
    }

    /** Sends a request of JetStream's API once. */
    Message askOnce(RequestType operation, String api, byte[] body) throws IOException {
        return answer(operation, () -> link.await(link.send("$JS.API." + api, null, body), link.timeoutNanos()));
    }

    @FunctionalInterface
    private interface Exchange {
        Message run() throws IOException;
    }

    private Message answer(RequestType operation, Exchange exchange) throws IOException {
        try {
            return exchange.run();
        } catch (LostException e) {
            report(operation, RequestResult.FAILED, 0, 0);
            throw e.unserved() ? ApiErrors.noJetStream(settings, e) : e;
        } catch (IOException e) {
            report(operation, outcome(e), 0, 0);
            throw e;
        }
    }

    /** Sends a request of JetStream's API once; returns null if there is no response within the time. */
    @Nullable
    Message askWithin(Duration time, RequestType operation, String api, byte[] body) throws IOException {
        NatsLink.Call sent = link.send("$JS.API." + api, null, body);
        try {
            return link.await(sent, Math.min(time.toNanos(), link.timeoutNanos()));
        } catch (LostException e) {
            report(operation, RequestResult.FAILED, 0, 0);
            if (e.unserved()) {
                throw e;
            }
            return null;
        } catch (IOException e) {
            report(operation, outcome(e), 0, 0);
            throw e;
        }
    }

    private Message awaiting(NatsLink.Call sent, RequestType operation) throws IOException {
        try {
            return link.await(sent, link.timeoutNanos());
        } catch (IOException e) {
            report(operation, outcome(e), 0, 0);
            throw e;
        }
    }

    private static RequestResult outcome(IOException e) {
        return e instanceof ReplicaAccessException ? RequestResult.REFUSED : RequestResult.FAILED;
    }

    /** Throws an exception for the error in a response. */
    void check(ApiResponse<?> answer, RequestType operation, String doing) throws ReplicaException {
        Error error = answer.getErrorObject();
        if (error != null) {
            report(operation, RequestResult.REFUSED, 0, 0);
            throw ApiErrors.translate(settings, doing, new JetStreamApiException(error));
        }
    }

    void report(RequestType operation, RequestResult outcome, long sent, long received) {
        listener.onRequest(new Request(operation, outcome, sent, received));
    }
}
