package org.litestream4j.internal.engine;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.litestream4j.CheckpointKind;
import org.litestream4j.EngineStatistics;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamListener;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.End;
import org.litestream4j.ReplicaOperation;
import org.litestream4j.Tally;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CheckpointLocking;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.RestoreListener;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreProgress;

/** Counters of one database and its replica. Thread-safe. */
final class EngineCounters implements LitestreamListener, CaptureListener, RequestListener {

    private final Adder captures = new Adder();
    private final Map<CheckpointKind, Adder> checkpoints = adders(CheckpointKind.class);
    private final Adder writeLock = new Adder();
    private final Map<ReplicaOperation, Adder> replicaOperations = adders(ReplicaOperation.class);
    private final Map<RequestType, AtomicLong> requests = map(RequestType.class, key -> new AtomicLong());
    private final Map<RequestResult, AtomicLong> outcomes = map(RequestResult.class, key -> new AtomicLong());
    private final Adder restores = new Adder();
    private final Adder commitWaits = new Adder();
    private final AtomicLong auditFailures = new AtomicLong();
    private final AtomicLong diskFullErrors = new AtomicLong();
    private volatile @Nullable RestoreProgress restore;

    /**
     * @param diskFull whether a full disk is the last error
     * @param refused whether replication is stopped until the operator acts
     */
    EngineStatistics statistics(boolean diskFull, boolean refused) {
        return new EngineStatistics(
                captures.tally(),
                tallies(checkpoints, CheckpointKind.class),
                writeLock.tally(),
                tallies(replicaOperations, ReplicaOperation.class),
                counts(requests, RequestType.class),
                counts(outcomes, RequestResult.class),
                commitWaits.tally(),
                restores.tally(),
                restore,
                auditFailures.get(),
                diskFullErrors.get(),
                diskFull,
                refused);
    }

    @Override
    public void onEvent(LitestreamEvent event) {
        if (event instanceof LitestreamEvent.AuditFailed) {
            auditFailures.incrementAndGet();
        }
    }

    @Override
    public @Nullable End onBegin(LitestreamOperation operation) {
        Adder adder =
                switch (operation.kind()) {
                    case SYNC -> captures;
                    case RESTORE -> restores;
                    case COMMIT_WAIT -> commitWaits;
                    case UPLOAD, COMPACTION -> null; // counted as operations on the replica
                };
        if (adder == null) {
            return null;
        }
        long begun = System.nanoTime();
        return outcome -> {
            boolean failed = outcome.error() != null;
            if (!failed || adder != captures) { // a failed capture is counted as a failure of the step
                adder.add(System.nanoTime() - begun, outcome.bytes(), failed);
            }
        };
    }

    /** Counts a failed attempt of a lane. */
    void failed(Step step, boolean diskFull) {
        if (step == Step.CAPTURE) {
            captures.add(0, 0, true);
        }
        if (diskFull) {
            diskFullErrors.incrementAndGet();
        }
    }

    @Override
    public void writeLockHeld(long nanos) {
        writeLock.add(nanos, 0, false);
    }

    @Override
    public void checkpointed(CheckpointLocking mode, long nanos, boolean done) {
        of(checkpoints, kind(mode)).add(nanos, 0, !done);
    }

    private static CheckpointKind kind(CheckpointLocking mode) {
        return switch (mode) {
            case PASSIVE -> CheckpointKind.PASSIVE;
            case LOCKED -> CheckpointKind.LOCKED;
        };
    }

    void operated(ReplicaOperation operation, long nanos, long bytes, boolean failed) {
        of(replicaOperations, operation).add(nanos, bytes, failed);
    }

    @Override
    public void onRequest(Request request) {
        of(requests, request.type()).incrementAndGet();
        of(outcomes, request.outcome()).incrementAndGet();
    }

    /** Returns the same options with a listener that records the progress of the restore for the statistics. */
    RestoreOptions observing(RestoreOptions options) {
        RestoreListener listener = options.listener();
        return options.withListener(progress -> {
            restore = progress;
            listener.onProgress(progress);
        });
    }

    private static <K extends Enum<K>> Map<K, Adder> adders(Class<K> keys) {
        return map(keys, key -> new Adder());
    }

    private static <K extends Enum<K>> Map<K, Tally> tallies(Map<K, Adder> adders, Class<K> keys) {
        return map(keys, key -> of(adders, key).tally());
    }

    private static <K extends Enum<K>> Map<K, Long> counts(Map<K, AtomicLong> counts, Class<K> keys) {
        return map(keys, key -> of(counts, key).get());
    }

    private static <K, V> V of(Map<K, V> map, K key) {
        return requireNonNull(map.get(key)); // there is an entry for each constant
    }

    private static <K extends Enum<K>, V> Map<K, V> map(Class<K> keys, Function<K, V> value) {
        Map<K, V> map = new EnumMap<>(keys);
        for (K key : keys.getEnumConstants()) {
            map.put(key, value.apply(key));
        }
        return map;
    }

    /** A mutable {@link Tally}. */
    private static final class Adder {
        @GuardedBy("this")
        private Tally sum = Tally.NONE;

        synchronized void add(long nanos, long bytes, boolean failed) {
            Duration time = Duration.ofNanos(nanos);
            sum = new Tally(
                    sum.count() + 1,
                    sum.failures() + (failed ? 1 : 0),
                    sum.bytes() + bytes,
                    sum.total().plus(time),
                    time.compareTo(sum.longest()) > 0 ? time : sum.longest());
        }

        synchronized Tally tally() {
            return sum;
        }
    }
}
