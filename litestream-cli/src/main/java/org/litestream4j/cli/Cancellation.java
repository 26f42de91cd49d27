package org.litestream4j.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Lets a command clean up when the process is asked to end (Ctrl-C, SIGTERM). Close it after the command has ended. */
final class Cancellation implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final CountDownLatch requested = new CountDownLatch(1);

    private final CountDownLatch ended = new CountDownLatch(1);

    private final Thread hook = new Thread(this::cancelAndWait, "litestream-shutdown");

    private final Duration patience;

    private volatile boolean cancelled;

    /** Exit code; negative for that of the signal. */
    private volatile int exitCode = -1;

    private Cancellation(Duration patience) {
        this.patience = patience;
    }

    static Cancellation onShutdown() {
        return onShutdown(PATIENCE);
    }

    /** @param patience longest time for which the command may take to end */
    static Cancellation onShutdown(Duration patience) {
        Cancellation cancellation = new Cancellation(patience);
        Runtime.getRuntime().addShutdownHook(cancellation.hook);
        return cancellation;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /**
     * Waits until the process is asked to end.
     *
     * @return whether that happened within the time
     */
    boolean await(Duration time) throws InterruptedException {
        return requested.await(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Records that the request to end was the regular end of this command, with this exit code. */
    void ended(int code) {
        exitCode = code;
    }

    private void cancelAndWait() {
        cancelled = true;
        requested.countDown();
        try {
            if (!ended.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                System.err.println("error: the command did not end in time; temporary files may remain");
                System.err.flush();
                Runtime.getRuntime().halt(1);
            } else if (exitCode >= 0) {
                Runtime.getRuntime().halt(exitCode);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        ended.countDown();
        if (!cancelled) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                return; // the process is just ending
            }
        }
    }
}
