package org.litestream4j.spring.actuate;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.EngineStatistics;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.spring.drill.RestoreDrills;

/**
 * State of a database at one moment, as used by the health indicator.
 *
 * @param diskFull whether a full disk stops replication
 * @param refused whether replication is stopped until the operator acts
 * @param validations the last validation and the last that read all content; a later quick validation does not
 *     supersede the problems found by the latter
 * @param validatedAt time at which the last validation ended; null before the first
 * @param drill the last restore drills
 */
record ObservedDatabase(
        DatabaseStatus status,
        CompactionStatus compaction,
        boolean diskFull,
        boolean refused,
        List<Validation.Result> validations,
        @Nullable Instant validatedAt,
        ObservedDrill drill) {

    ObservedDatabase {
        validations = List.copyOf(validations);
    }

    /** @param drills drills of the application; null if there are none */
    static ObservedDatabase of(ManagedDatabase database, @Nullable RestoreDrills drills) {
        EngineStatistics statistics = database.statistics();
        return new ObservedDatabase(
                database.status(),
                database.compaction(),
                statistics.diskFull(),
                statistics.refused(),
                Stream.of(database.lastValidation(), database.lastDeepValidation())
                        .flatMap(Optional::stream)
                        .distinct()
                        .toList(),
                database.lastValidationAt().orElse(null),
                drills == null ? ObservedDrill.NONE : ObservedDrill.of(database, drills));
    }

    /** Returns the problems that no snapshot makes irrelevant: the newest state may not be restorable. */
    List<Validation.Problem> uncovered() {
        Set<Txid> damaged = problems().stream()
                .filter(problem ->
                        problem.level() == ReplicaClient.SNAPSHOT_LEVEL && problem.kind() == Validation.Kind.DAMAGED)
                .map(problem -> problem.file().max())
                .collect(Collectors.toSet());
        Txid snapshot = Stream.concat(
                        Stream.of(compaction.newestSnapshot()),
                        validations.stream().map(Validation.Result::snapshot))
                .filter(txid -> !damaged.contains(txid))
                .reduce(Txid.NONE, Txid::max);
        return problems().stream()
                .filter(problem -> problem.isSerious() && !problem.isCoveredBy(snapshot))
                .toList();
    }

    /** Returns all problems that the validations found, without duplicates. */
    List<Validation.Problem> problems() {
        return validations.stream()
                .flatMap(result -> result.problems().stream())
                .distinct()
                .toList();
    }
}
