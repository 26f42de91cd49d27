package org.litestream4j.spring;

import org.litestream4j.Litestream;
import org.springframework.context.SmartLifecycle;

/**
 * Stops merges, snapshots and validations after the web server and all other writers have stopped, so that the
 * remaining time of the shutdown is available for the final flush. The flush follows in {@link Litestream#close()},
 * after the last connection was closed. A stopped context continues to replicate, and resumes maintenance when it is
 * started again.
 */
final class MaintenanceLifecycle implements SmartLifecycle {

    /** Phase below that of all possible writers; few beans start earlier. */
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
