package org.litestream4j.restore;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Ends the work of several threads, without interrupts. Thread-safe. */
final class StopSignal {

    private final CountDownLatch stopped = new CountDownLatch(1);

    private final BooleanSupplier cancelled;

    StopSignal() {
        this(() -> false);
    }

    /** @param cancelled asked, too */
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

    /** Pauses for a time, or until stopped; an interrupt ends the pause and is kept. Answers whether stopped. */
    boolean pause(long millis) {
        try {
            return stopped.await(millis, TimeUnit.MILLISECONDS) || isStopped();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return isStopped();
        }
    }

    /** Somebody else has failed, or the caller wants no more; says nothing of its own. */
    static final class StoppedException extends IOException {

        private static final long serialVersionUID = 1L;

        StoppedException() {
            super("stopped");
        }
    }
}
