package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.LitestreamEvent.Step;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the files of one database for commits of other processes. Only one check runs at a time. A check that hangs
 * does not delay other databases, and is reported. Thread-safe.
 */
final class Watch {

    private static final Logger log = LoggerFactory.getLogger(Watch.class);

    /** Duration after which a running check is reported. */
    private static final long HANG_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final DatabaseConfig config;
    private final WatchedFiles files;
    private final Runnable changed;
    private final Progress progress;
    private final Clock clock;
    private final Pools pools;

    /** Whether a check is queued or running. */
    private final AtomicBoolean underway = new AtomicBoolean();

    /** Start of the running check. */
    private volatile long begun;

    private volatile boolean running;

    /** @param changed called after a write or the replacement of a file */
    Watch(DatabaseConfig config, WatchedFiles files, Runnable changed, Progress progress, Clock clock, Pools pools) {
        this.config = config;
        this.files = files;
        this.changed = changed;
        this.progress = progress;
        this.clock = clock;
        this.pools = pools;
    }

    /** Starts a check, unless the last one is still running. Accesses no file. */
    void tick() {
        if (underway.compareAndSet(false, true)) {
            try {
                pools.watch.execute(this::check);
            } catch (Throwable e) {
                underway.set(false);
                fail(Progress.cannotStart(e));
            }
        } else if (running && System.nanoTime() - begun > HANG_TIMEOUT_NANOS) {
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
            fail(new IOException(config.path() + ": the file system has not responded for " + seconds
                    + " s, changes by other processes are not detected; check the disk or the network"
                    + " of the file system"));
        }
    }

    private void check() {
        begun = System.nanoTime();
        running = true;
        try {
            if (files.haveChanged()) {
                changed.run();
            }
            if (progress.succeeded(Step.WATCH, clock.instant())) {
                log.info("watching resumed: db={}", config.name());
            }
        } catch (Throwable e) {
            fail(e);
        } finally {
            running = false;
            underway.set(false);
        }
    }

    private void fail(Throwable e) {
        if (progress.failed(Step.WATCH, e, clock.instant())) {
            log.warn("cannot check the database for changes, will retry: db={}", config.name(), e);
        }
    }
}
