package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

/**
 * Told of each request that a replica client sent to its store, also of failed ones and repetitions: stores bill by
 * request. Called on the thread that waited for the answer, or that read its body; must be fast, thread-safe and must not
 * throw.
 */
@FunctionalInterface
public interface RequestListener {

    /** Counts nothing. */
    RequestListener NONE = request -> {};

    void onRequest(Request request);

    /** What a request asked for, in the classes that stores bill and count. */
    enum Operation {
        LIST,
        /** Content, or a range of it. */
        GET,
        /** Metadata alone. */
        HEAD,
        /** A whole file. */
        PUT,
        MULTIPART_CREATE,
        MULTIPART_PART,
        MULTIPART_COMPLETE,
        MULTIPART_ABORT,
        /** One request, whatever the number of files it names. */
        DELETE
    }

    /** How it ended. */
    enum Outcome {
        SUCCESS,
        /** No such file; the answer to a question rather than a failure. */
        NOT_FOUND,
        /** A condition did not hold, such as "only if there is no such file". */
        CONFLICT,
        /** The store asked for fewer requests. */
        THROTTLED,
        /** Credentials, rights, or a bucket that is not there. */
        REFUSED,
        /** Anything else: a broken connection, no answer in time, an error of the store. */
        FAILED
    }

    /**
     * One request.
     *
     * @param bytesSent of content, not of headers
     * @param bytesReceived of content, as far as they were read when the request ended
     */
    record Request(Operation operation, Outcome outcome, long bytesSent, long bytesReceived) {

        /** @throws IllegalArgumentException if a number of bytes is negative */
        public Request {
            requireNonNull(operation, "operation");
            requireNonNull(outcome, "outcome");
            if (bytesSent < 0 || bytesReceived < 0) {
                throw new IllegalArgumentException("negative bytes: " + bytesSent + ", " + bytesReceived);
            }
        }
    }
}
