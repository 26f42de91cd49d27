package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.litestream4j.CheckpointKind;
import org.litestream4j.EngineStatistics;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.ReplicaOperation;
import org.litestream4j.Tally;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CheckpointMode;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.restore.RestoreListener;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreProgress;
import org.litestream4j.restore.RestoreResult;

/** Counts what the lanes of one database do. Thread-safe. */
final class EngineCounters implements CaptureListener, RequestListener {

    private final Operations operations;
    private final Adder captures = new Adder();
    private final Map<CheckpointKind, Adder> checkpoints = adders(CheckpointKind.class);
    private final Adder writeLock = new Adder();
    private final Map<ReplicaOperation, Adder> replicaOperations = adders(ReplicaOperation.class);
    private final Map<Operation, AtomicLong> requests = map(Operation.class, key -> new AtomicLong());
    private final Map<Outcome, AtomicLong> outcomes = map(Outcome.class, key -> new AtomicLong());
    private final Adder restores = new Adder();
    private final Adder commitWaits = new Adder();
    private final AtomicLong auditFailures = new AtomicLong();
    private final AtomicLong diskFullErrors = new AtomicLong();
    private volatile @Nullable RestoreProgress restore;

    /** @param operations to tell of restores */
    EngineCounters(Operations operations) {
        this.operations = operations;
    }

    /** @param diskFull whether a full disk is the last error */
    EngineStatistics statistics(boolean diskFull, boolean refused) {
        return new EngineStatistics(
                captures.tally(),
                tallies(checkpoints, CheckpointKind.class),
                writeLock.tally(),
                tallies(replicaOperations, ReplicaOperation.class),
                counts(requests, Operation.class),
                counts(outcomes, Outcome.class),
                commitWaits.tally(),
                restores.tally(),
                restore,
                auditFailures.get(),
                diskFullErrors.get(),
                diskFull,
                refused);
    }

    Operations operations() {
        return operations;
    }

    /** Captures, counts it, and tells of it; what fails is counted by {@link #captureFailed}. */
    boolean capture(Capture capture) throws IOException {
        long begun = System.nanoTime();
        boolean more = operations.observe(
                Kind.SYNC,
                LitestreamOperation.NO_LEVEL,
                done -> LitestreamOperation.Outcome.succeeded(capture.captured(), 0),
                capture::capture);
        captures.add(System.nanoTime() - begun, 0, false);
        return more;
    }

    void waited(long nanos, boolean failed) {
        commitWaits.add(nanos, 0, failed);
    }

    void captureFailed() {
        captures.add(0, 0, true);
    }

    void auditFailed() {
        auditFailures.incrementAndGet();
    }

    void diskFull() {
        diskFullErrors.incrementAndGet();
    }

    @Override
    public void writeLockHeld(long nanos) {
        writeLock.add(nanos, 0, false);
    }

    @Override
    public void checkpointed(CheckpointMode mode, long nanos, boolean done) {
        checkpoints.get(kind(mode)).add(nanos, 0, !done);
    }

    private static CheckpointKind kind(CheckpointMode mode) {
        return switch (mode) {
            case PASSIVE -> CheckpointKind.PASSIVE;
            case LOCKED -> CheckpointKind.LOCKED;
        };
    }

    void operated(ReplicaOperation operation, long nanos, long bytes, boolean failed) {
        replicaOperations.get(operation).add(nanos, bytes, failed);
    }

    @Override
    public void onRequest(Request request) {
        requests.get(request.operation()).incrementAndGet();
        outcomes.get(request.outcome()).incrementAndGet();
    }

    /** Restores as these options say, and tells how far it is. */
    RestoreOptions observing(RestoreOptions options) {
        RestoreListener listener = options.listener();
        return options.withListener(progress -> {
            restore = progress;
            listener.onProgress(progress);
        });
    }

    /** Runs a restore, counts it, and tells of it. */
    <T extends @Nullable RestoreResult> T restore(RestoreJob<T> job) throws IOException {
        long begun = System.nanoTime();
        long bytes = 0;
        boolean failed = true;
        try {
            T result =
                    operations.observe(Kind.RESTORE, LitestreamOperation.NO_LEVEL, EngineCounters::restored, job::run);
            bytes = result == null ? 0 : result.bytesRead();
            failed = false;
            return result;
        } finally {
            restores.add(System.nanoTime() - begun, bytes, failed);
        }
    }

    private static LitestreamOperation.Outcome restored(@Nullable RestoreResult result) {
        return result == null
                ? LitestreamOperation.Outcome.NOTHING
                : LitestreamOperation.Outcome.succeeded(result.txid(), result.bytesRead());
    }

    /** Returns null if there is nothing to restore, which is no failure. */
    @FunctionalInterface
    interface RestoreJob<T extends @Nullable RestoreResult> {
        T run() throws IOException;
    }

    private static <K extends Enum<K>> Map<K, Adder> adders(Class<K> keys) {
        return map(keys, key -> new Adder());
    }

    private static <K extends Enum<K>> Map<K, Tally> tallies(Map<K, Adder> adders, Class<K> keys) {
        return map(keys, key -> adders.get(key).tally());
    }

    private static <K extends Enum<K>> Map<K, Long> counts(Map<K, AtomicLong> counts, Class<K> keys) {
        return map(keys, key -> counts.get(key).get());
    }

    private static <K extends Enum<K>, V> Map<K, V> map(Class<K> keys, Function<K, V> value) {
        Map<K, V> map = new EnumMap<>(keys);
        for (K key : keys.getEnumConstants()) {
            map.put(key, value.apply(key));
        }
        return map;
    }

    /** One {@link Tally} that grows. */
    private static final class Adder {
        private Tally sum = Tally.NONE; // guarded by this

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
