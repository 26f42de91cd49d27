package org.litestream4j.spring.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.BaseUnits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.CheckpointKind;
import org.litestream4j.EngineStatistics;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ReplicaOperation;
import org.litestream4j.Tally;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.CompactionStatus.Level;
import org.litestream4j.compaction.CompactionStatus.Level0;
import org.litestream4j.compaction.Validation;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.restore.RestoreProgress;

/**
 * Registers the meters of one database. They read only the state known to the engine, without access to the replica or
 * the database.
 */
final class DatabaseMeters {

    private static final List<RequestResult> FAILURES =
            List.of(RequestResult.THROTTLED, RequestResult.REFUSED, RequestResult.FAILED);

    private final MeterRegistry registry;
    private final ManagedDatabase database;
    private final Clock clock;
    private final Tags tags;
    private final List<Meter> meters = new ArrayList<>();

    DatabaseMeters(MeterRegistry registry, ManagedDatabase database, Clock clock) {
        this.registry = registry;
        this.database = database;
        this.clock = clock;
        this.tags = Tags.of("database", database.name());
    }

    List<Meter> register() {
        positions();
        commitWaits();
        capture();
        replica();
        levels();
        retention();
        validation();
        restore();
        return List.copyOf(meters);
    }

    private void positions() {
        Path path = database.config().path();
        Path wal = path.resolveSibling(path.getFileName() + "-wal");
        bytes("litestream.database.size", "Size of the database file", one -> size(path));
        bytes("litestream.wal.size", "Size of the WAL file", one -> size(wal));
        gauge("litestream.txid.captured", "Newest captured transaction", tags, one -> one.status()
                .captured()
                .value());
        gauge("litestream.txid.replicated", "Newest transaction on the replica", tags, one -> one.status()
                .replicated()
                .value());
        seconds("litestream.lag", "Age of the oldest change that may not be on the replica", one -> one.status()
                .lag());
    }

    private void commitWaits() {
        timer("litestream.commit.wait", "Waits of commits for the replica", tags, tally(EngineStatistics::commitWaits));
        errors("litestream.commit.wait.errors", "Waits that ended before", tags, tally(EngineStatistics::commitWaits));
        seconds("litestream.commit.wait.longest", "Longest wait of a commit for the replica", one -> one.statistics()
                .commitWaits()
                .longest());
    }

    private void capture() {
        timer("litestream.sync", "Captures of committed changes", tags, tally(EngineStatistics::captures));
        errors("litestream.sync.errors", "Failures of capturing", tags, tally(EngineStatistics::captures));
        for (CheckpointKind mode : CheckpointKind.values()) {
            Tags tagged = tags.and("mode", lower(mode));
            Function<ManagedDatabase, Tally> tally =
                    tally(statistics -> statistics.checkpoints().get(mode));
            timer("litestream.checkpoint", "Checkpoints", tagged, tally);
            errors("litestream.checkpoint.errors", "Checkpoints that failed or were kept busy", tagged, tally);
        }
        timer("litestream.write.lock", "How long writers were held back", tags, tally(EngineStatistics::writeLock));
        seconds("litestream.write.lock.longest", "Longest time that writers were held back", one -> one.statistics()
                .writeLock()
                .longest());
        counter(
                "litestream.audit.failures",
                "How often captured state did not lead to the database",
                null,
                tags,
                one -> one.statistics().auditFailures());
        gauge(
                "litestream.disk.full",
                "Whether a full disk holds replication up",
                tags,
                one -> one.statistics().diskFull() ? 1 : 0);
        counter("litestream.disk.full.errors", "How often a full disk was met", null, tags, one -> one.statistics()
                .diskFullErrors());
    }

    private void replica() {
        for (ReplicaOperation operation : ReplicaOperation.values()) {
            Tags tagged = tags.and("operation", lower(operation));
            Function<ManagedDatabase, Tally> tally =
                    tally(statistics -> statistics.operations().get(operation));
            timer("litestream.replica.operation", "Operations on files of the replica", tagged, tally);
            errors("litestream.replica.operation.errors", "Operations that failed", tagged, tally);
            counter(
                    "litestream.replica.operation.bytes",
                    "Content that was moved",
                    BaseUnits.BYTES,
                    tagged,
                    one -> tally.apply(one).bytes());
        }
        for (RequestType operation : RequestType.values()) {
            counter(
                    "litestream.replica.requests",
                    "Requests to the store",
                    null,
                    tags.and("operation", lower(operation)),
                    one -> one.statistics().requests().get(operation));
        }
        for (RequestResult outcome : FAILURES) {
            counter(
                    "litestream.replica.request.failures",
                    "Requests that failed",
                    null,
                    tags.and("outcome", lower(outcome)),
                    one -> one.statistics().outcomes().get(outcome));
        }
    }

    private void levels() {
        int highest = database.config().levels().size();
        IntStream levels =
                IntStream.concat(IntStream.rangeClosed(0, highest), IntStream.of(ReplicaClient.SNAPSHOT_LEVEL));
        for (int level : levels.distinct().toArray()) {
            Tags tagged = tags.and("level", String.valueOf(level));
            gauge("litestream.level.files", "Files on the replica", tagged, one -> level(one, level)
                    .files());
            register(Gauge.builder("litestream.level.size", database, one -> level(one, level)
                            .bytes())
                    .description("Size of the files on the replica")
                    .baseUnit(BaseUnits.BYTES)
                    .tags(tagged)
                    .register(registry));
            counter("litestream.retention.deleted", "Files that retention deleted", null, tagged, one -> level(
                            one, level)
                    .deleted());
            if (level >= 1 && level <= highest) {
                register(FunctionTimer.builder(
                                "litestream.compaction",
                                database,
                                one -> level(one, level).merges(),
                                one -> level(one, level).mergeTime().toNanos(),
                                TimeUnit.NANOSECONDS)
                        .description("Merges into the level")
                        .tags(tagged)
                        .register(registry));
                counter(
                        "litestream.compaction.bytes",
                        "Size of the merged files",
                        BaseUnits.BYTES,
                        tagged,
                        one -> level(one, level).mergedBytes());
            }
        }
        level0("unmerged", Level0::unmerged);
        level0("recent", Level0::recent);
        level0("expired", Level0::expired);
    }

    private void level0(String state, ToLongFunction<Level0> count) {
        gauge(
                "litestream.level0.files",
                "Files of level 0 on the replica, by what keeps them",
                tags.and("state", state),
                one -> count.applyAsLong(one.compaction().level0()));
    }

    private void retention() {
        counter("litestream.snapshots", "Snapshots that were published", null, tags, one -> one.compaction()
                .snapshots());
        seconds(
                "litestream.snapshot.age",
                "Age of the newest snapshot",
                one -> age(one.compaction().newestSnapshotAt()));
        gauge("litestream.retention.refused", "Files that the store refuses to delete", tags, one -> one.compaction()
                .refused());
    }

    private void validation() {
        for (Validation.Kind kind : Validation.Kind.values()) {
            gauge(
                    "litestream.validation.findings",
                    "What the last validation found",
                    tags.and("kind", lower(kind)),
                    one -> findings(one, kind));
        }
        seconds(
                "litestream.validation.age",
                "Time since the last validation",
                one -> age(one.lastValidationAt().orElse(null)));
    }

    private void restore() {
        timer("litestream.restore", "Restores of the database", tags, tally(EngineStatistics::restores));
        errors("litestream.restore.errors", "Restores that failed", tags, tally(EngineStatistics::restores));
        bytes(
                "litestream.restore.bytes",
                "What the running or last restore has read",
                one -> restore(one, RestoreProgress::bytes));
        bytes(
                "litestream.restore.size",
                "What the running or last restore has to read",
                one -> restore(one, RestoreProgress::totalBytes));
    }

    private static double findings(ManagedDatabase database, Validation.Kind kind) {
        return database.lastValidation()
                .map(result -> (double) result.problems().stream()
                        .filter(problem -> problem.kind() == kind)
                        .count())
                .orElse(Double.NaN);
    }

    private static double restore(ManagedDatabase database, ToLongFunction<RestoreProgress> value) {
        RestoreProgress progress = database.statistics().restore();
        return progress == null ? Double.NaN : value.applyAsLong(progress);
    }

    private static Level level(ManagedDatabase database, int level) {
        CompactionStatus status = database.compaction();
        return status.levels().get(level);
    }

    /** Returns the size of a file by its attributes; opening the file could release SQLite's locks. */
    private static double size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0; // the file does not exist
        }
    }

    private @Nullable Duration age(@Nullable Instant since) {
        return since == null ? null : Duration.between(since, clock.instant());
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static Function<ManagedDatabase, Tally> tally(Function<EngineStatistics, Tally> tally) {
        return one -> tally.apply(one.statistics());
    }

    private void register(Meter meter) {
        meters.add(meter);
    }

    private void gauge(String name, String description, Tags tagged, ToDoubleFunction<ManagedDatabase> value) {
        register(Gauge.builder(name, database, value)
                .description(description)
                .tags(tagged)
                .register(registry));
    }

    private void bytes(String name, String description, ToDoubleFunction<ManagedDatabase> value) {
        register(Gauge.builder(name, database, value)
                .description(description)
                .baseUnit(BaseUnits.BYTES)
                .tags(tags)
                .register(registry));
    }

    private void seconds(String name, String description, Function<ManagedDatabase, @Nullable Duration> value) {
        register(TimeGauge.builder(name, database, TimeUnit.NANOSECONDS, one -> {
                    Duration time = value.apply(one);
                    return time == null ? Double.NaN : time.toNanos();
                })
                .description(description)
                .tags(tags)
                .register(registry));
    }

    private void timer(String name, String description, Tags tagged, Function<ManagedDatabase, Tally> tally) {
        register(FunctionTimer.builder(
                        name,
                        database,
                        one -> tally.apply(one).count(),
                        one -> tally.apply(one).total().toNanos(),
                        TimeUnit.NANOSECONDS)
                .description(description)
                .tags(tagged)
                .register(registry));
    }

    private void errors(String name, String description, Tags tagged, Function<ManagedDatabase, Tally> tally) {
        counter(name, description, null, tagged, one -> tally.apply(one).failures());
    }

    private void counter(
            String name,
            String description,
            @Nullable String unit,
            Tags tagged,
            ToDoubleFunction<ManagedDatabase> value) {
        register(FunctionCounter.builder(name, database, value)
                .description(description)
                .baseUnit(unit)
                .tags(tagged)
                .register(registry));
    }
}
