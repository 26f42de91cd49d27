package org.litestream4j.spring.notification;

import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Requests a URL at regular intervals, as long as every database is replicated. A monitoring service that hears nothing
 * raises the alarm, also when the whole machine is gone.
 *
 * <p>Before each request, {@link ManagedDatabase#sync} of every database must have succeeded, and no problem may be
 * known that prevents restores. A database that another process replicates is left to that process.
 */
final class Heartbeat implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration MIN_SYNC_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration MAX_SYNC_TIMEOUT = Duration.ofSeconds(60);

    private static final long STOP_SECONDS = 1;

    private final Supplier<Collection<ManagedDatabase>> databases;
    private final HttpTarget target;
    private final @Nullable HttpTarget startTarget;
    private final @Nullable HttpTarget failureTarget;
    private final Duration interval;

    private @Nullable ScheduledExecutorService thread;

    /** Whether the failure of the current outage was reported. For the thread of the heartbeat. */
    private boolean failureReported;

    /** Whether the last request failed. For the thread of the heartbeat. */
    private boolean unreachable;

    Heartbeat(
            Supplier<Collection<ManagedDatabase>> databases,
            HttpTarget target,
            @Nullable HttpTarget startTarget,
            @Nullable HttpTarget failureTarget,
            Duration interval) {
        this.databases = databases;
        this.target = target;
        this.startTarget = startTarget;
        this.failureTarget = failureTarget;
        this.interval = interval;
    }

    @Override
    public synchronized void start() {
        if (thread != null) {
            return;
        }
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread created = new Thread(task, "litestream-heartbeat");
            created.setDaemon(true);
            return created;
        });
        if (startTarget != null) {
            started.execute(() -> request(startTarget));
        }
        Future<?> unused = started.scheduleWithFixedDelay(this::beat, 0, interval.toNanos(), TimeUnit.NANOSECONDS);
        thread = started;
    }

    private void beat() {
        try {
            Optional<String> problem = problem();
            if (problem.isPresent()) {
                LOG.warn("no heartbeat: url={} problem={}", target, problem.get());
                if (failureTarget != null && !failureReported) {
                    failureReported = request(failureTarget);
                }
            } else if (isReplicated()) {
                failureReported = false;
                request(target);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // stopped
        } catch (RuntimeException e) {
            LOG.warn("no heartbeat: url={}", target, e);
        }
    }

    /** Returns whether this process replicates any database. */
    private boolean isReplicated() {
        return databases.get().stream().anyMatch(database -> database.status().state() == DatabaseState.REPLICATING);
    }

    /** Returns why a database is not known to be on its replica; empty if all of them are. */
    private Optional<String> problem() throws InterruptedException {
        long end = System.nanoTime() + syncTimeout().toNanos();
        for (ManagedDatabase database : databases.get()) {
            Optional<String> problem = problem(database, Duration.ofNanos(Math.max(1, end - System.nanoTime())));
            if (problem.isPresent()) {
                return problem.map(text -> database.name() + ": " + text);
            }
        }
        return Optional.empty();
    }

    /** Returns the maximum time for all databases together. */
    private Duration syncTimeout() {
        Duration longest = interval.compareTo(MAX_SYNC_TIMEOUT) < 0 ? interval : MAX_SYNC_TIMEOUT;
        return longest.compareTo(MIN_SYNC_TIMEOUT) < 0 ? MIN_SYNC_TIMEOUT : longest;
    }

    private static Optional<String> problem(ManagedDatabase database, Duration timeout) throws InterruptedException {
        DatabaseState state = database.status().state();
        if (state == DatabaseState.PASSIVE || state == DatabaseState.WAITING) {
            return Optional.empty();
        }
        if (state == DatabaseState.REPLICATING) {
            try {
                database.sync(timeout);
            } catch (IOException | RuntimeException e) {
                return Optional.of(String.valueOf(e.getMessage()));
            }
        }
        DatabaseStatus status = database.status();
        if (status.state() != DatabaseState.REPLICATING) {
            return Optional.of(
                    "state " + status.state() + (status.lastError() == null ? "" : ": " + status.lastError()));
        }
        Txid snapshot = database.compaction().newestSnapshot();
        return database.lastValidation().stream()
                .flatMap(result -> result.problems().stream())
                .filter(problem -> problem.isSerious() && !problem.isCoveredBy(snapshot))
                .map(Validation.Problem::text)
                .findFirst();
    }

    /** Returns whether the request succeeded. Logs one line for each outage of the monitoring service. */
    private boolean request(HttpTarget requested) {
        try {
            requested.get(REQUEST_TIMEOUT);
            unreachable = false;
            return true;
        } catch (IOException e) {
            if (!unreachable) {
                LOG.warn("the heartbeat cannot be delivered: url={} problem={}", requested, e.toString());
            }
            unreachable = true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    @Override
    public synchronized void stop() {
        ScheduledExecutorService stopping = thread;
        thread = null;
        if (stopping != null) {
            stopping.shutdownNow();
            try {
                stopping.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return thread != null;
    }
}
