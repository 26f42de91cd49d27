package org.litestream4j.compaction;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.litestream4j.replica.ResumingInputStream;

/** Ends what runs long, soon after somebody asked for it. Any thread may ask. */
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

    /** The work was given up on request. */
    static final class StoppedException extends IOException {
        private static final long serialVersionUID = 1L;

        StoppedException() {
            super("stopped");
        }
    }
}
