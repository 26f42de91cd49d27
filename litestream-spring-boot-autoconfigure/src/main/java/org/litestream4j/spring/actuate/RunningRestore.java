package org.litestream4j.spring.actuate;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreProgress;
import org.litestream4j.spring.actuate.RestoreDescription.Phase;
import org.litestream4j.spring.actuate.RestoreDescription.Result;
import org.litestream4j.spring.actuate.RestoreDescription.State;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One restore, running or ended. Thread-safe; {@link #run} is called once. */
final class RunningRestore implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(RunningRestore.class);

    private static final long LOG_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final RestoreProgress NOTHING_YET =
            new RestoreProgress(RestoreProgress.Phase.PLANNING, 0, 0, 0, 0, 0, 0, Duration.ZERO, Duration.ZERO);

    private final String id;
    private final ManagedDatabase database;
    private final RestoreRequest request;
    private final int parallelism;
    private final Clock clock;
    private final Instant startedAt;
    private volatile boolean cancelled;
    private volatile @Nullable RestoreProgress progress;
    private volatile @Nullable Completion outcome;
    private long logged = System.nanoTime(); // confined to the restore's thread

    RunningRestore(String id, ManagedDatabase database, RestoreRequest request, int parallelism, Clock clock) {
        this.id = id;
        this.database = database;
        this.request = request;
        this.parallelism = parallelism;
        this.clock = clock;
        this.startedAt = clock.instant();
    }

    String id() {
        return id;
    }

    String database() {
        return database.name();
    }

    boolean isRunning() {
        return outcome == null;
    }

    /** Cancels the restore. Content that was already copied into the database remains. */
    void cancel() {
        cancelled = true;
    }

    @Override
    public void run() {
        LOG.info("restore started: db={} id={} wanted={} target={}", database(), id, request.state(), target());
        Completion ended;
        try {
            Result result = restore();
            ended = new Completion(State.SUCCEEDED, clock.instant(), result, null);
            LOG.info("restore succeeded: db={} id={} result={}", database(), id, result);
        } catch (Throwable e) { // the restore has ended after any failure, so that the next one may begin
            State state = cancelled ? State.CANCELLED : State.FAILED;
            ended = new Completion(
                    state, clock.instant(), null, e.getMessage() == null ? e.toString() : e.getMessage());
            if (cancelled) {
                LOG.info("restore cancelled: db={} id={}", database(), id);
            } else {
                LOG.warn("restore failed: db={} id={}", database(), id, e);
            }
        }
        outcome = ended;
    }

    private Result restore() throws IOException, InterruptedException {
        RestoreOptions options = RestoreOptions.builder()
                .target(request.state())
                .force(request.force())
                .integrityCheck(request.integrityCheck())
                .parallelism(parallelism)
                .listener(this::onProgress)
                .cancelled(() -> cancelled)
                .clock(clock)
                .build();
        return request.file() == null
                ? Result.of(database.restoreInPlace(options, request.timeout()))
                : Result.of(database.restoreTo(request.file(), options));
    }

    private void onProgress(RestoreProgress now) {
        progress = now;
        if (System.nanoTime() - logged > LOG_INTERVAL_NANOS) {
            logged = System.nanoTime();
            LOG.info(
                    "restoring: db={} id={} phase={} bytes={} of={} bytes-per-second={}",
                    database(),
                    id,
                    now.phase(),
                    now.bytes(),
                    now.totalBytes(),
                    now.bytesPerSecond());
        }
    }

    private @Nullable String target() {
        return request.file() == null ? null : request.file().getFileName().toString();
    }

    RestoreDescription describe() {
        Completion ended = outcome; // read before the progress, which is then the last one
        RestoreProgress last = progress;
        RestoreProgress now = last != null ? last : NOTHING_YET;
        Phase phase = phase(ended, last);
        return new RestoreDescription(
                id,
                database(),
                ended == null ? State.RUNNING : ended.state(),
                request.state().toString(),
                request.isInPlace(),
                target(),
                startedAt.toString(),
                ended == null ? null : ended.at().toString(),
                phase,
                now.bytes(),
                now.totalBytes(),
                now.pages(),
                now.totalPages(),
                now.files(),
                now.totalFiles(),
                now.bytesPerSecond(),
                phase == Phase.READING && ended == null ? estimatedEnd(now) : null,
                ended == null ? null : ended.result(),
                ended == null ? null : ended.error());
    }

    private @Nullable String estimatedEnd(RestoreProgress now) {
        return now.remaining()
                .map(left -> clock.instant().plus(left).toString())
                .orElse(null);
    }

    private Phase phase(@Nullable Completion ended, @Nullable RestoreProgress now) {
        if (ended != null && ended.state() == State.SUCCEEDED) {
            return Phase.DONE;
        }
        if (now == null) {
            return request.isInPlace() ? Phase.SYNCING : Phase.PLANNING;
        }
        return switch (now.phase()) {
            case PLANNING -> Phase.PLANNING;
            case READING -> Phase.READING;
            case CHECKING -> Phase.CHECKING;
            case PUBLISHING -> Phase.PUBLISHING;
            case DONE -> request.isInPlace() ? Phase.COPYING : Phase.PUBLISHING;
        };
    }

    /** Outcome of the restore. */
    private record Completion(State state, Instant at, @Nullable Result result, @Nullable String error) {}
}
