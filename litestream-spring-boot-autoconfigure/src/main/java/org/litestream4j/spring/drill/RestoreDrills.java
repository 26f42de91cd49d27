package org.litestream4j.spring.drill;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillHistory;
import org.litestream4j.drill.DrillOptions;
import org.litestream4j.drill.DrillOutcome;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.drill.RestoreDrillCheck;
import org.litestream4j.spring.DrillProperties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Restore drills of all databases of the application: runs them by schedule and on request, one at a time, and keeps
 * their last reports, also on disk. Thread-safe.
 */
public final class RestoreDrills implements SmartLifecycle, AutoCloseable {

    /** Name of the file with the last reports, in the directory for drills. */
    static final String HISTORY = "drill-history.sqlite";

    private static final Logger LOG = LoggerFactory.getLogger(RestoreDrills.class);

    private static final long CLOSE_SECONDS = 2;

    private final Litestream litestream;
    private final DrillProperties settings;
    private final List<RestoreDrillCheck> checks;
    private final DrillSchedule schedule;
    private final Clock clock;
    private final ScheduledThreadPoolExecutor thread;

    private final Object lock = new Object();

    @GuardedBy("lock")
    private final Map<String, List<DrillReport>> reports = new HashMap<>(); // newest first

    @GuardedBy("lock")
    private final Map<String, Map<DrillOutcome, Long>> counts = new HashMap<>();

    /** Names of the databases whose drill is running or waiting for another one. */
    @GuardedBy("lock")
    private final Set<String> running = new HashSet<>();

    private volatile @Nullable Instant started;
    private volatile boolean stopped;

    /**
     * @param checks checks of the application, besides those of the settings
     * @throws org.litestream4j.spring.LitestreamSettingException if a setting is invalid; names the setting
     */
    RestoreDrills(Litestream litestream, DrillProperties settings, List<RestoreDrillCheck> checks, Clock clock) {
        this.litestream = litestream;
        this.settings = settings;
        this.clock = clock;
        this.schedule = DrillSchedule.of(settings, clock);
        this.checks = new ArrayList<>(checks);
        settings.checks().forEach(sql -> this.checks.add(RestoreDrillCheck.sql(sql)));
        DrillSettings.check(settings);
        this.thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread created = new Thread(task, "litestream-drill");
            created.setDaemon(true);
            return created;
        });
        thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /** Returns the last reports of a database, newest first, those of earlier runs of the application included. */
    public List<DrillReport> reports(ManagedDatabase database) {
        synchronized (lock) {
            List<DrillReport> known = reports.get(database.name());
            if (known != null) {
                return known;
            }
        }
        List<DrillReport> loaded = load(database); // without the lock, because it reads a file
        synchronized (lock) {
            return reports.computeIfAbsent(database.name(), key -> loaded);
        }
    }

    private List<DrillReport> load(ManagedDatabase database) {
        try {
            return List.copyOf(history(database).reports(database.name()));
        } catch (IOException e) {
            LOG.warn("reports of earlier drills are not available: db={}", database.name(), e);
            return List.of();
        }
    }

    /** Returns the number of drills of a database since the start of the application. */
    public long count(ManagedDatabase database, DrillOutcome outcome) {
        synchronized (lock) {
            return counts.getOrDefault(database.name(), Map.of()).getOrDefault(outcome, 0L);
        }
    }

    /** Returns the number of the newest drills in a row that were inconclusive. */
    public int inconclusiveInARow(ManagedDatabase database) {
        int count = 0;
        for (DrillReport report : reports(database)) {
            if (report.outcome() != DrillOutcome.INCONCLUSIVE) {
                break;
            }
            count++;
        }
        return count;
    }

    /** Returns the number of inconclusive drills in a row that need attention. */
    public int inconclusiveLimit() {
        return settings.inconclusiveLimit();
    }

    /** Returns whether a drill of a database is running, or waits for another one to end. */
    public boolean isRunning(ManagedDatabase database) {
        synchronized (lock) {
            return running.contains(database.name());
        }
    }

    /**
     * Starts a drill of a database as soon as no other drill is running.
     *
     * @return false if one of this database is running or waiting already, or if the application is shutting down
     */
    public boolean request(ManagedDatabase database) {
        synchronized (lock) {
            if (stopped || !running.add(database.name())) {
                return false;
            }
        }
        thread.execute(() -> run(database));
        return true;
    }

    private void runAll() {
        try {
            for (ManagedDatabase database : litestream.databases()) {
                boolean free;
                synchronized (lock) {
                    free = running.add(database.name());
                }
                if (free) {
                    run(database);
                }
            }
        } finally {
            scheduleNext();
        }
    }

    private void scheduleNext() {
        Instant since = started;
        if (since == null || stopped) {
            return;
        }
        Instant last = litestream.databases().stream()
                .flatMap(database -> reports(database).stream().limit(1))
                .map(DrillReport::startedAt)
                .max(Comparator.naturalOrder())
                .orElse(null);
        Duration wait = schedule.untilNext(since, last);
        if (wait == null) {
            LOG.warn("no further drills: the schedule {} has no further time", settings.schedule());
            return;
        }
        synchronized (lock) {
            if (!stopped) {
                ScheduledFuture<?> unused = thread.schedule(this::runAll, wait.toMillis() + 1, TimeUnit.MILLISECONDS);
            }
        }
    }

    private void run(ManagedDatabase database) {
        try {
            if (!stopped) {
                record(database, database.drill(options(database)));
            }
        } catch (RuntimeException | Error e) { // the thread must survive any failure
            LOG.error("drill ended with an unexpected error: db={}", database.name(), e);
        } finally {
            synchronized (lock) {
                running.remove(database.name());
            }
        }
    }

    private DrillOptions options(ManagedDatabase database) {
        DrillOptions.Builder builder = DrillOptions.builder(directory(database))
                .database(database.name())
                .foreignKeys(settings.foreignKeys())
                .deep(settings.deep())
                .timeout(settings.timeout())
                .minFree(settings.minFree().toBytes())
                .load(settings.load())
                .cancelled(() -> stopped)
                .clock(clock);
        checks.forEach(builder::check);
        return builder.build();
    }

    private Path directory(ManagedDatabase database) {
        String directory = settings.directory();
        return directory == null
                ? database.config().metaPath().resolve("drills")
                : Path.of(directory).toAbsolutePath();
    }

    private DrillHistory history(ManagedDatabase database) {
        return new DrillHistory(directory(database).resolve(HISTORY));
    }

    private void record(ManagedDatabase database, DrillReport report) {
        if (stopped && report.outcome() == DrillOutcome.INCONCLUSIVE) {
            return; // ended by the shutdown
        }
        List<DrillReport> before = reports(database);
        List<DrillReport> now = new ArrayList<>();
        now.add(report);
        now.addAll(before.subList(0, Math.min(before.size(), DrillHistory.MAX_REPORTS - 1)));
        synchronized (lock) {
            reports.put(database.name(), List.copyOf(now));
            counts.computeIfAbsent(database.name(), key -> new EnumMap<>(DrillOutcome.class))
                    .merge(report.outcome(), 1L, Long::sum);
        }
        log(database, report);
        try {
            history(database).add(report);
        } catch (IOException e) {
            LOG.warn("the report of a drill is kept in memory only: db={}", database.name(), e);
        }
    }

    private static void log(ManagedDatabase database, DrillReport report) {
        switch (report.outcome()) {
            case PASSED ->
                LOG.info(
                        "drill passed: db={} replica={} recovery={} newestAge={} requests={} bytes={}",
                        database.name(),
                        report.replica(),
                        report.recoveryTime(),
                        report.newestAge(),
                        report.requestCount(),
                        report.bytesReceived());
            case FAILED ->
                LOG.error(
                        "drill failed, the backup needs attention: db={} replica={} findings={}",
                        database.name(),
                        report.replica(),
                        report.findings());
            case INCONCLUSIVE ->
                LOG.warn(
                        "drill inconclusive, nothing is proved: db={} replica={} problem={}",
                        database.name(),
                        report.replica(),
                        report.problem());
        }
    }

    @Override
    public void start() {
        stopped = false;
        started = clock.instant();
        if (settings.enabled()) {
            thread.execute(this::scheduleNext);
        }
    }

    /** Ends a running drill. */
    @Override
    public void stop() {
        synchronized (lock) {
            stopped = true;
        }
        thread.getQueue().clear();
        started = null;
    }

    @Override
    public boolean isRunning() {
        return started != null;
    }

    /** Waits until a running drill has deleted what it restored. */
    @Override
    public void close() {
        stop();
        thread.shutdown();
        try {
            if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("a drill is still running {} s after it was cancelled", CLOSE_SECONDS);
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
