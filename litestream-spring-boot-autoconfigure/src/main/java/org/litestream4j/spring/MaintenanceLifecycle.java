package org.litestream4j.spring;

import org.litestream4j.Litestream;
import org.springframework.context.SmartLifecycle;

/**
 * Ends merges, snapshots and validations once the web server and everything else that writes has stopped, so that the time
 * that a shutdown has belongs to the final flush. That comes later, in {@link Litestream#close()}, when the last connection
 * is closed. A context that is stopped goes on to replicate, and takes the rest up when it is started again.
 */
final class MaintenanceLifecycle implements SmartLifecycle {

    /** Below everything that may write: those that start before it are few. */
    private static final int PHASE = Integer.MIN_VALUE + 1_000;

    private final Litestream litestream;
    private volatile boolean running;

    MaintenanceLifecycle(Litestream litestream) {
        this.litestream = litestream;
    }

    @Override
    public void start() {
        litestream.resumeMaintenance();
        running = true;
    }

    @Override
    public void stop() {
        litestream.pauseMaintenance();
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return PHASE;
    }
}
