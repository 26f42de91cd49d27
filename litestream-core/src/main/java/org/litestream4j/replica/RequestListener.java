package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

/**
 * Receives each request that a replica client sends to its store, including failed and repeated ones; stores bill by
 * request. Called on the thread that waited for the response or read its body. Implementations must be fast and
 * thread-safe, and must not throw.
 */
@FunctionalInterface
public interface RequestListener {

    /** A listener that ignores all requests. */
    RequestListener NONE = request -> {};

    void onRequest(Request request);

    /** Operations, in the classes in which stores bill and count requests. */
    enum RequestType {
        LIST,
        /** Reading content, or a range of it. */
        GET,
        /** Reading metadata only. */
        HEAD,
        /** Writing a whole file. */
        PUT,
        MULTIPART_CREATE,
        MULTIPART_PART,
        MULTIPART_COMPLETE,
        MULTIPART_ABORT,
        /** One request, for any number of files. */
        DELETE
    }

    /** Outcomes of requests. */
    enum RequestResult {
        SUCCESS,
        /** The file does not exist; an answer rather than a failure. */
        NOT_FOUND,
        /** A condition was not met, such as "only if the file does not exist". */
        CONFLICT,
        /** The store asked the client to reduce its request rate. */
        THROTTLED,
        /** Access denied: credentials, permissions, or a missing bucket. */
        REFUSED,
        /** Any other failure: a broken connection, a timeout, an error of the store. */
        FAILED
    }

    /**
     * One request.
     *
     * @param type type of the request
     * @param outcome outcome of the request
     * @param bytesSent bytes of content sent, without headers
     * @param bytesReceived bytes of content read until the request ended
     */
    record Request(RequestType type, RequestResult outcome, long bytesSent, long bytesReceived) {

        /** @throws IllegalArgumentException if a number of bytes is negative */
        public Request {
            requireNonNull(type, "type");
            requireNonNull(outcome, "outcome");
            if (bytesSent < 0 || bytesReceived < 0) {
                throw new IllegalArgumentException("negative bytes: " + bytesSent + ", " + bytesReceived);
            }
        }
    }
}
