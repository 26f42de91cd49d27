package org.litestream4j.compaction;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.replica.ResumingInputStream;

/** Stops long-running work soon after a request. Thread-safe. */
final class StopSignal implements ResumingInputStream.Reader {

    private volatile boolean stopped;

    void stop() {
        stopped = true;
    }

    void resume() {
        stopped = false;
    }

    @Override
    public void check() throws StoppedException {
        if (stopped) {
            throw new StoppedException();
        }
    }

    @Override
    public void pause(long millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    /** Thrown if the work was stopped on request. */
    static final class StoppedException extends IOException {
        private static final long serialVersionUID = 1L;

        StoppedException() {
            super("stopped");
        }
    }
}
