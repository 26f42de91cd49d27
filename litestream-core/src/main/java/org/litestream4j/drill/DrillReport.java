package org.litestream4j.drill;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * Result of a drill. Contains no secrets.
 *
 * @param database name of the database; empty if unknown
 * @param replica address of the replica, without secrets
 * @param outcome outcome of the drill
 * @param startedAt time at which the drill started
 * @param elapsed duration of the whole drill, with all checks and pauses
 * @param replicated newest transaction that the engine reported as replicated when the drill started; null if the drill
 *     ran without an engine
 * @param newest the newest state; null if it was not restored
 * @param past a state of the retained past; null if none was restored
 * @param findings findings; not empty if and only if the outcome is {@link DrillOutcome#FAILED}
 * @param problem what prevented the drill from running to its end; null if nothing did, never null if the outcome is
 *     {@link DrillOutcome#INCONCLUSIVE}
 * @param requests requests to the store, by operation as in {@link org.litestream4j.replica.RequestListener}; empty for
 *     stores that do not bill requests
 * @param bytesReceived bytes of content read from the store
 * @param costMicros estimated cost of the requests and the transfer, in millionths of the currency of
 *     {@link DrillOptions#prices}
 */
public record DrillReport(
        String database,
        String replica,
        DrillOutcome outcome,
        Instant startedAt,
        Duration elapsed,
        @Nullable Txid replicated,
        @Nullable DrilledState newest,
        @Nullable DrilledState past,
        List<DrillFinding> findings,
        @Nullable String problem,
        Map<String, Long> requests,
        long bytesReceived,
        long costMicros) {

    /** @throws IllegalArgumentException if the outcome contradicts findings and problem */
    public DrillReport {
        requireNonNull(database, "database");
        requireNonNull(replica, "replica");
        requireNonNull(outcome, "outcome");
        requireNonNull(startedAt, "startedAt");
        requireNonNull(elapsed, "elapsed");
        findings = List.copyOf(findings);
        requests = Map.copyOf(requests);
        if (outcome != outcome(findings, problem)) {
            throw new IllegalArgumentException("outcome " + outcome + " with findings " + findings + " and problem "
                    + (problem == null ? "none" : problem));
        }
    }

    /** Returns the outcome: damage is a failure even if the drill could not run to its end. */
    static DrillOutcome outcome(List<DrillFinding> findings, @Nullable String problem) {
        if (!findings.isEmpty()) {
            return DrillOutcome.FAILED;
        }
        return problem != null ? DrillOutcome.INCONCLUSIVE : DrillOutcome.PASSED;
    }

    /** Returns the time at which the drill ended. */
    public Instant endedAt() {
        return startedAt.plus(elapsed);
    }

    /** Returns the measured recovery time (RTO): that of the newest state; null if it was not restored. */
    public @Nullable Duration recoveryTime() {
        return newest == null ? null : newest.recovery();
    }

    /**
     * Returns the age of the newest restorable commit at the start of the drill (RPO); null if the newest state was not
     * restored. It grows while the database does not change, although nothing is missing.
     */
    public @Nullable Duration newestAge() {
        if (newest == null) {
            return null;
        }
        Duration age = Duration.between(newest.timestamp(), startedAt);
        return age.isNegative() ? Duration.ZERO : age;
    }

    /**
     * Returns the report for JSON: texts, numbers, lists and maps, in this order. Times are ISO 8601, durations are in
     * milliseconds. Values that are null here are null there.
     */
    public Map<String, @Nullable Object> describe() {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("outcome", outcome.name());
        fields.put("database", database);
        fields.put("replica", replica);
        fields.put("startedAt", startedAt.toString());
        fields.put("elapsedMillis", elapsed.toMillis());
        fields.put("recoveryMillis", millis(recoveryTime()));
        fields.put("newestAgeMillis", millis(newestAge()));
        fields.put("replicatedTxid", replicated == null ? null : replicated.toString());
        fields.put("newest", newest == null ? null : newest.describe());
        fields.put("past", past == null ? null : past.describe());
        fields.put(
                "findings",
                findings.stream()
                        .map(finding -> Map.of("kind", finding.kind().name(), "text", finding.text()))
                        .map(TreeMap::new)
                        .toList());
        fields.put("problem", problem);
        fields.put("requests", requests());
        fields.put("bytesReceived", bytesReceived);
        fields.put("cost", BigDecimal.valueOf(costMicros, 6));
        return fields;
    }

    private static @Nullable Long millis(@Nullable Duration duration) {
        return duration == null ? null : duration.toMillis();
    }

    /** Returns the number of all requests. */
    public long requestCount() {
        return requests.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Returns the requests, ordered by the name of their operation. */
    @Override
    public Map<String, Long> requests() {
        return new TreeMap<>(requests);
    }
}
