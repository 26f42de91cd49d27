package org.litestream4j.internal.engine;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamException;
import org.litestream4j.LitestreamListener;
import org.litestream4j.error.OptionNames;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CaptureSettings;
import org.litestream4j.internal.replication.Ownership;
import org.litestream4j.internal.replication.Replication;
import org.litestream4j.replica.ReplicaClient;

/**
 * The components that replicate one database: its lanes, their shared objects, and the status derived from them, until
 * they are {@link #end ended}. Thread-safe.
 */
final class Lanes {

    final DatabaseConfig config;
    final ReplicaClient client;
    final EngineCounters counters;
    final OperationReports operations;
    final Progress progress;
    final ReplicationWaits waits = new ReplicationWaits();
    final Capture capture;
    final LaneStates laneStates = new LaneStates();
    final CaptureLane captureLane;
    final UploadLane uploadLane;
    final CompactionLane compactionLane;
    final Replication replication;
    private final SnapshotImages images;
    private final Clock clock;
    private volatile boolean ended;

    /** @param captureListener receives checkpoints and uses of the write lock */
    Lanes(
            DatabaseConfig config,
            ReplicaClient client,
            EngineCounters counters,
            OperationReports operations,
            LitestreamListener listener,
            OptionNames optionNames,
            CaptureListener captureListener,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.client = client;
        this.counters = counters;
        this.operations = operations;
        this.clock = clock;
        this.progress = new Progress(config.name(), client.url(), counters, listener, optionNames);
        this.capture = new Capture(
                new CaptureSettings(
                        config.path(),
                        config.metaPath(),
                        config.busyTimeout(),
                        config.checkpointInterval(),
                        config.minCheckpointPages(),
                        config.walLimitPages(),
                        config.maxSyncWalBytes(),
                        config.pageEncoding(),
                        config.databaseChecksum()),
                clock,
                captureListener);
        Ownership ownership = new Ownership(
                client, clock, System::nanoTime, config.level0Retention().dividedBy(2));
        ReplicaConflicts conflicts =
                new ReplicaConflicts(config.name(), client.url(), laneStates, progress, waits, clock);
        this.images = new SnapshotImages(this::imagesChanged, this::isImageUnwanted);
        this.compactionLane = new CompactionLane(
                config,
                client,
                capture,
                ownership,
                laneStates,
                conflicts,
                images,
                progress,
                operations,
                listener,
                clock,
                pools);
        this.replication =
                new Replication(capture, client, clock, config.level0Retention(), ownership, compactionLane::uploaded);
        this.captureLane = new CaptureLane(
                config,
                client.url(),
                capture,
                progress,
                waits,
                operations,
                laneStates,
                conflicts,
                images,
                clock,
                pools);
        this.uploadLane = new UploadLane(
                config, replication, client, laneStates, conflicts, progress, waits, operations, clock, pools);
    }

    private boolean isImageUnwanted() {
        return compactionLane.isImageUnwanted();
    }

    private void imagesChanged() {
        captureLane.wake();
        compactionLane.wake();
        progress.signal();
    }

    /** Returns the current status, without file or network access. */
    DatabaseStatus status() {
        Progress.Failure failure = progress.failure(Step.UPLOAD);
        if (failure == null) {
            failure = progress.failure(Step.CAPTURE);
        }
        if (failure == null) {
            failure = progress.failure(Step.COMPACTION);
        }
        if (failure == null) {
            failure = progress.failure(Step.WATCH);
        }
        return new DatabaseStatus(
                config.name(),
                config.path(),
                client.url(),
                state(),
                capture.captured(),
                replication.replicated(),
                lag(),
                failure != null ? failure.text() : null,
                failure != null ? failure.at() : null);
    }

    private DatabaseState state() {
        if (ended) {
            return DatabaseState.STOPPED;
        }
        LaneStates.View now = laneStates.now();
        if (now.conflict()) {
            return DatabaseState.CONFLICT;
        }
        if (now.upload().needsRecovery()) {
            return DatabaseState.NEEDS_RECOVERY;
        }
        if (now.capture().attached()) {
            return DatabaseState.REPLICATING;
        }
        if (captureLane.isPauseRequested()) {
            return isPaused() ? DatabaseState.PAUSED : DatabaseState.REPLICATING;
        }
        return now.capture().passive() ? DatabaseState.PASSIVE : DatabaseState.WAITING;
    }

    /** Returns whether a pause was requested, and this process no longer reads the database. */
    boolean isPaused() {
        return captureLane.isPauseRequested() && !laneStates.now().capture().attached() && !images.isOpen();
    }

    private Duration lag() {
        if (laneStates.now().capture().passive() && progress.failure(Step.CAPTURE) == null) {
            return Duration.ZERO; // another process replicates and knows its lag
        }
        Instant uncaptured = captureLane.uncapturedSince();
        Instant since = null;
        if (replication.replicated().isBefore(capture.captured())) {
            since = replication.pendingSince();
            if (since == null) { // the upload lane has not reached it, or has not reached the replica since the start
                since = captureLane.capturedSince();
            }
        }
        UploadState.Damage damage = laneStates.now().upload().damage();
        if (damage != null && (since == null || damage.since().isBefore(since))) {
            since = damage.since();
        }
        if (since == null || (uncaptured != null && uncaptured.isBefore(since))) {
            since = uncaptured;
        }
        if (since == null) {
            return Duration.ZERO;
        }
        Duration lag = Duration.between(since, clock.instant());
        return lag.isNegative() ? Duration.ZERO : lag;
    }

    /** Returns whether replication has ended for good. */
    boolean haveStopped() {
        return ended || laneStates.now().conflict();
    }

    boolean haveEnded() {
        return ended;
    }

    /** Ends all waits, because there will be no more progress. */
    void end() {
        ended = true;
        progress.signal();
        waits.reconsider();
    }

    /** Returns an exception that contains the last error, if there is one. */
    LitestreamException notReplicated(String problem, @Nullable Throwable cause) {
        DatabaseStatus status = status();
        String error = status.lastError() != null ? ": " + status.lastError() : "";
        return new LitestreamException(
                config.path().toString(),
                problem + " (captured " + status.captured() + ", replicated " + status.replicated() + ")" + error,
                "",
                cause);
    }
}
