package org.litestream4j.spring.actuate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.compaction.Validation.Problem;
import org.litestream4j.spring.LitestreamProperties;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/**
 * Reports the worst health of all databases. Uses only the state known to the engine, without access to replicas or
 * databases. {@link #DEGRADED} does not affect the application's health: a replica with a backlog needs attention, not
 * a restart.
 */
final class LitestreamHealthIndicator extends AbstractHealthIndicator {

    static final Status DEGRADED = new Status("DEGRADED", "replication needs attention");

    /** Maximum number of problems reported for one replica. */
    private static final int MOST_PROBLEMS = 5;

    private final Supplier<List<ObservedDatabase>> databases;
    private final LitestreamProperties.Health thresholds;

    LitestreamHealthIndicator(Supplier<List<ObservedDatabase>> databases, LitestreamProperties.Health thresholds) {
        super("Replication health cannot be read");
        this.databases = databases;
        this.thresholds = thresholds;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        List<ObservedDatabase> present = databases.get();
        if (present.isEmpty()) {
            builder.unknown().withDetail("databases", "none is replicated");
            return;
        }
        Status worst = Status.UP;
        for (ObservedDatabase database : present) {
            Status health = health(database);
            builder.withDetail(database.status().name(), details(database, health));
            if (health.equals(Status.DOWN) || worst.equals(Status.UP)) {
                worst = health;
            }
        }
        builder.status(worst);
    }

    private Status health(ObservedDatabase database) {
        DatabaseStatus status = database.status();
        if (status.state() == DatabaseState.CONFLICT
                || status.state() == DatabaseState.STOPPED
                || status.state() == DatabaseState.NEEDS_RECOVERY
                || database.refused()
                || status.lag().compareTo(thresholds.lagDown()) >= 0
                || database.uncovered().stream().anyMatch(LitestreamHealthIndicator::isFatal)
                || database.drill().isFailed()) {
            return Status.DOWN;
        }
        boolean attention = status.lag().compareTo(thresholds.lagWarning()) >= 0
                || database.diskFull()
                || database.compaction().refused() > 0
                || !database.uncovered().isEmpty()
                || database.drill().isInconclusiveForLong();
        return attention ? DEGRADED : Status.UP;
    }

    /** Returns whether a problem makes the newest state unrestorable, or possibly so. */
    private static boolean isFatal(Problem problem) {
        return problem.kind() == Validation.Kind.UNREACHABLE || problem.kind() == Validation.Kind.DAMAGED;
    }

    private static Map<String, Object> details(ObservedDatabase database, Status health) {
        DatabaseStatus status = database.status();
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("status", health.getCode());
        details.put("state", status.state());
        details.put("captured", status.captured().toString());
        details.put("replicated", status.replicated().toString());
        details.put("lag", status.lag().toString());
        if (status.lastError() != null) {
            details.put("lastError", status.lastError());
            details.put("lastErrorAt", String.valueOf(status.lastErrorAt()));
        }
        if (database.refused()) {
            details.put("refused", true);
        }
        if (database.diskFull()) {
            details.put("diskFull", true);
        }
        if (database.compaction().refused() > 0) {
            details.put("refusedDeletes", database.compaction().refused());
        }
        String retentionProblem = database.compaction().retentionProblem();
        if (retentionProblem != null) {
            details.put("retentionProblem", retentionProblem);
        }
        if (database.validatedAt() != null) {
            details.put("validation", validation(database));
        }
        if (database.drill().last() != null) {
            details.put("drill", database.drill().describe());
        }
        return details;
    }

    private static Map<String, Object> validation(ObservedDatabase database) {
        List<Problem> serious =
                database.problems().stream().filter(Problem::isSerious).toList();
        Map<String, Object> validation = new LinkedHashMap<>();
        validation.put("at", String.valueOf(database.validatedAt()));
        validation.put("findings", serious.size());
        int covered = serious.size() - database.uncovered().size();
        if (covered > 0) {
            validation.put("coveredBySnapshot", covered);
        }
        if (!serious.isEmpty()) {
            validation.put(
                    "problems",
                    serious.stream()
                            .limit(MOST_PROBLEMS)
                            .map(problem -> problem.kind() + " at level " + problem.level() + ", " + problem.file()
                                    + ": " + problem.text())
                            .toList());
        }
        return validation;
    }
}
