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

/**
 * What health is judged by; a moment's view.
 *
 * @param diskFull whether a full disk holds replication up
 * @param refused whether replication stands still until somebody changes something
 * @param validations the last one, and the last that read all content: a quick one does not make up for what that found
 * @param validatedAt when the last one ended; null before the first
 */
record ObservedDatabase(
        DatabaseStatus status,
        CompactionStatus compaction,
        boolean diskFull,
        boolean refused,
        List<Validation.Result> validations,
        @Nullable Instant validatedAt) {

    ObservedDatabase {
        validations = List.copyOf(validations);
    }

    static ObservedDatabase of(ManagedDatabase database) {
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
                database.lastValidationAt().orElse(null));
    }

    /** What the validations found and no snapshot makes up for: the newest state may not be restorable. */
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

    /** All that the validations found, once each. */
    List<Validation.Problem> problems() {
        return validations.stream()
                .flatMap(result -> result.problems().stream())
                .distinct()
                .toList();
    }
}
