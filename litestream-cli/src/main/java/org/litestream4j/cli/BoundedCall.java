package org.litestream4j.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.litestream4j.LitestreamException;

/**
 * Runs a request to a replica in a thread of its own. A store that accepts connections but never answers must not
 * delay the end of a command; the client's own timeouts add up to minutes. The thread ends with the process.
 */
final class BoundedCall {

    private static final long POLL_MILLIS = 50;

    /** A request. */
    @FunctionalInterface
    interface Request<T> {
        T run() throws IOException;
    }

    private BoundedCall() {}

    /**
     * Returns the result of a request.
     *
     * @param subject database, for the message
     * @param timeout longest wait
     * @param cancelled polled several times a second; returns true to end the wait
     * @throws LitestreamException if there is no answer in time, or the wait was cancelled
     */
    static <T> T run(String subject, Duration timeout, BooleanSupplier cancelled, Request<T> request)
            throws IOException, InterruptedException {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        result.complete(request.run());
                    } catch (IOException | RuntimeException | Error e) {
                        result.completeExceptionally(e);
                    }
                },
                "litestream-request");
        thread.setDaemon(true);
        thread.start();
        long end = System.nanoTime() + timeout.toNanos();
        while (!cancelled.getAsBoolean() && System.nanoTime() - end < 0) {
            try {
                return result.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // no answer yet
            } catch (ExecutionException e) {
                throw unwrapped(e);
            }
        }
        throw new LitestreamException(
                subject,
                cancelled.getAsBoolean()
                        ? "stopped before the replica answered; nothing was replicated by this run"
                        : "not replicated: no answer from the replica within " + timeout.toMillis() + " ms",
                "check the replica's address and the network",
                null);
    }

    private static IOException unwrapped(ExecutionException e) {
        if (e.getCause() instanceof RuntimeException known) {
            throw known;
        }
        if (e.getCause() instanceof Error known) {
            throw known;
        }
        return e.getCause() instanceof IOException known ? known : new IOException(e.getCause());
    }
}
