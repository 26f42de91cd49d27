package org.litestream4j.restore;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Stops the work of several threads without interrupts. Thread-safe. */
final class StopSignal {

    private final CountDownLatch stopped = new CountDownLatch(1);

    private final BooleanSupplier cancelled;

    StopSignal() {
        this(() -> false);
    }

    /** @param cancelled polled in addition to the signal; returns true to stop */
    StopSignal(BooleanSupplier cancelled) {
        this.cancelled = cancelled;
    }

    void stop() {
        stopped.countDown();
    }

    boolean isStopped() {
        return stopped.getCount() == 0 || cancelled.getAsBoolean();
    }

    void check() throws StoppedException {
        if (isStopped()) {
            throw new StoppedException();
        }
    }

    /**
     * Pauses for a time, or until stopped, and returns whether the work is stopped. An interrupt ends the pause and
     * leaves the interrupt status set.
     */
    boolean pause(long millis) {
        try {
            return stopped.await(millis, TimeUnit.MILLISECONDS) || isStopped();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return isStopped();
        }
    }

    /** Thrown if another thread has failed or the caller has cancelled. Contains no message. */
    static final class StoppedException extends IOException {

        private static final long serialVersionUID = 1L;

        StoppedException() {
            super("stopped");
        }
    }
}
