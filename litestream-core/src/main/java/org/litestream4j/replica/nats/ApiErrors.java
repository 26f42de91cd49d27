package org.litestream4j.replica.nats;

import io.nats.client.JetStreamApiException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaException;

/** Translates JetStream's error codes into exceptions of a replica. */
final class ApiErrors {

    static final int NO_MESSAGE = 10037;
    static final int NO_STREAM = 10059;
    static final int STREAM_EXISTS = 10058;

    private static final int WRONG_LAST_SEQUENCE = 10071;
    private static final int WRONG_LAST_SEQUENCE_IN_CLUSTER = 10164;
    private static final int STORE_FAILED = 10077;

    private ApiErrors() {}

    /** Returns whether the message expected a different predecessor under its subject. */
    static boolean isWrongPredecessor(JetStreamApiException e) {
        return e.getApiErrorCode() == WRONG_LAST_SEQUENCE || e.getApiErrorCode() == WRONG_LAST_SEQUENCE_IN_CLUSTER;
    }

    /** Returns whether the stream rejected a message because it has no space or its storage failed. */
    static boolean isStoreFailure(JetStreamApiException e) {
        return e.getApiErrorCode() == STORE_FAILED;
    }

    /** @param doing the attempted operation, as part of a sentence: "list the bucket" */
    static ReplicaException translate(NatsSettings settings, String doing, JetStreamApiException e) {
        String problem =
                "the server would not " + doing + ": " + e.getErrorDescription() + " [" + e.getApiErrorCode() + "]";
        return switch (e.getApiErrorCode()) {
            case NO_STREAM -> noBucket(settings, e);
            case 10039, 10076 -> noJetStream(settings, e);
            case 10002, 10023, 10028, 10047 ->
                new ReplicaAccessException(
                        settings.url(),
                        problem,
                        "the storage that the server or the account may use is full: raise its limits or free some",
                        e);
            case 10054 -> tooLarge(settings, "messages of the stream", -1, e);
            case 10052, 10074 ->
                new ReplicaAccessException(
                        settings.url(), problem, "correct storage, replicas and max-bytes of the bucket to create", e);
            case 10109, 10110, 10111 ->
                new ReplicaAccessException(
                        settings.url(), problem, "the bucket must not be sealed and must allow purges and roll-ups", e);
            default -> new ReplicaException(settings.url(), problem, "", e);
        };
    }

    static ReplicaAccessException noBucket(NatsSettings settings, @Nullable Throwable cause) {
        return new ReplicaAccessException(
                settings.url(),
                "there is no object store bucket " + settings.bucket(),
                "create it (nats object add " + settings.bucket() + "), or set create-bucket=true",
                cause);
    }

    static ReplicaAccessException noJetStream(NatsSettings settings, Throwable cause) {
        return new ReplicaAccessException(
                settings.url(),
                "JetStream is not enabled there",
                "start the server with -js or a jetstream block, and enable JetStream for the account",
                cause);
    }

    /** @param limit limit in bytes; -1 if unknown */
    static ReplicaAccessException tooLarge(NatsSettings settings, String what, long limit, @Nullable Throwable cause) {
        return new ReplicaAccessException(
                settings.url(),
                "the limit for " + what + (limit < 0 ? "" : " (" + limit + " bytes)") + " is too small for chunks of "
                        + NatsBucket.CHUNK_SIZE + " bytes",
                "raise it to " + NatsBucket.NEEDED_MESSAGE_SIZE + " bytes or more",
                cause);
    }

    static ReplicaAccessException full(NatsSettings settings, Throwable cause) {
        return new ReplicaAccessException(
                settings.url(),
                "the bucket is full",
                "raise its limits (nats stream edit " + NatsBucket.STREAM_PREFIX + settings.bucket()
                        + " --max-bytes=...), or shorten the retention",
                cause);
    }
}
