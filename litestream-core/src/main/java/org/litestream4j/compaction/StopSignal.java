package org.litestream4j.compaction;

import java.io.IOException;

/** Ends what runs long, soon after somebody asked for it. Any thread may ask. */
final class StopSignal {

    private volatile boolean stopped;

    void stop() {
        stopped = true;
    }

    void resume() {
        stopped = false;
    }

    void check() throws StoppedException {
        if (stopped) {
            throw new StoppedException();
        }
    }

    /** The work was given up on request. */
    static final class StoppedException extends IOException {
        private static final long serialVersionUID = 1L;

        StoppedException() {
            super("stopped");
        }
    }
}
