package org.litestream4j.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Lets a command clean up when the process is told to end (Ctrl-C, SIGTERM). Close it when the command has ended. */
final class Cancellation implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final CountDownLatch ended = new CountDownLatch(1);

    private final Thread hook = new Thread(this::cancelAndWait, "litestream-shutdown");

    private volatile boolean cancelled;

    private Cancellation() {}

    static Cancellation onShutdown() {
        Cancellation cancellation = new Cancellation();
        Runtime.getRuntime().addShutdownHook(cancellation.hook);
        return cancellation;
    }

    boolean isCancelled() {
        return cancelled;
    }

    private void cancelAndWait() {
        cancelled = true;
        try {
            if (!ended.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                System.err.println("error: the command did not end in time; temporary files may be left over");
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
                return; // the process is ending right now
            }
        }
    }
}
