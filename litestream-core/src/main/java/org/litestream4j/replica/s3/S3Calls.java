package org.litestream4j.replica.s3;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Sends requests and counts each of them. Retries those that may succeed later, except for reading, which {@link
 * org.litestream4j.replica.ResumingInputStream} retries. By default, a request is sent up to four times, and not again five
 * seconds after the first time; the timeouts of a request are in {@link S3Clients}. Thread-safe.
 */
final class S3Calls implements Closeable {

    /** Number and duration of the retries of a request. */
    record RetryPolicy(int attempts, Duration firstPause, Duration giveUpAfter) {

        static final RetryPolicy DEFAULT = new RetryPolicy(4, Duration.ofMillis(150), Duration.ofSeconds(5));

        /**
         * Returns the pause before the next attempt. It grows fourfold and is randomized, so that clients do not retry
         * at the same time.
         */
        Duration pause(int failures) {
            long full = firstPause.toMillis() << (2 * (failures - 1));
            return Duration.ofMillis(full / 2 + ThreadLocalRandom.current().nextLong(full / 2 + 1));
        }
    }

    /** One request. */
    @FunctionalInterface
    interface Call<T> {
        T send(S3Client client) throws IOException;
    }

    private final S3Connection connection;

    private final RequestListener listener;

    private final RetryPolicy retryPolicy;

    private final ReentrantLock lock = new ReentrantLock();

    private final Condition closing = lock.newCondition();

    S3Calls(S3Connection connection, RequestListener listener, RetryPolicy retryPolicy) {
        this.connection = connection;
        this.listener = listener;
        this.retryPolicy = retryPolicy;
    }

    RetryPolicy retryPolicy() {
        return retryPolicy;
    }

    void checkOpen() throws IOException {
        connection.checkOpen();
    }

    /**
     * Sends a request until it succeeds or fails permanently.
     *
     * @param bytesSent bytes of content
     * @throws SdkException the last failure
     */
    <T> T run(RequestType operation, long bytesSent, Call<T> call) throws IOException {
        T result = repeat(operation, bytesSent, call);
        count(operation, RequestResult.SUCCESS, bytesSent, 0);
        return result;
    }

    /**
     * Sends a request once. If it succeeds, the caller counts it.
     *
     * @throws SdkException the failure
     */
    <T> T once(RequestType operation, long bytesSent, Call<T> call) throws IOException {
        try {
            return call.send(connection.client(listener));
        } catch (SdkException e) {
            checkInterrupted(e);
            count(operation, S3Failures.outcome(e), bytesSent, 0);
            throw e;
        }
    }

    private <T> T repeat(RequestType operation, long bytesSent, Call<T> call) throws IOException {
        long start = System.nanoTime();
        for (int failures = 1; ; failures++) {
            try {
                return once(operation, bytesSent, call);
            } catch (SdkException e) {
                Duration pause = retryPolicy.pause(failures);
                boolean late = System.nanoTime() - start + pause.toNanos()
                        > retryPolicy.giveUpAfter().toNanos();
                if (failures >= retryPolicy.attempts() || late || !S3Failures.mayPass(e) || connection.isClosed()) {
                    throw e;
                }
                pause(pause);
            }
        }
    }

    void count(RequestType operation, RequestResult outcome, long bytesSent, long bytesReceived) {
        listener.onRequest(new Request(operation, outcome, bytesSent, bytesReceived));
    }

    /** Waits for the given time, or until this instance is closed. */
    void pause(Duration pause) throws IOException {
        lock.lock();
        try {
            long left = pause.toNanos();
            while (left > 0 && !connection.isClosed()) {
                left = closing.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            lock.unlock();
        }
        connection.checkOpen();
    }

    /** @throws InterruptedIOException if the failure was caused by an interrupt of this thread */
    void checkInterrupted(Exception failure) throws IOException {
        if (failure instanceof AbortedException || Thread.currentThread().isInterrupted()) {
            throw interrupted(failure);
        }
    }

    private static InterruptedIOException interrupted(Exception cause) {
        Thread.currentThread().interrupt(); // keeps the interrupt status for the caller
        InterruptedIOException exception = new InterruptedIOException("interrupted while talking to the store");
        exception.initCause(cause);
        return exception;
    }

    @Override
    public void close() {
        connection.close();
        lock.lock();
        try {
            closing.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
