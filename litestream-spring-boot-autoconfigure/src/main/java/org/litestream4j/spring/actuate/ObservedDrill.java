package org.litestream4j.spring.actuate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillFinding;
import org.litestream4j.drill.DrillOutcome;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.spring.drill.RestoreDrills;

/**
 * The last drills of a database, as used by the health indicator.
 *
 * @param last report of the last drill; null if there was none
 * @param conclusive report of the last drill that was not inconclusive; null if there was none
 * @param inconclusive number of the last drills in a row that were inconclusive
 * @param limit number of inconclusive drills in a row that need attention
 */
record ObservedDrill(@Nullable DrillReport last, @Nullable DrillReport conclusive, int inconclusive, int limit) {

    static final ObservedDrill NONE = new ObservedDrill(null, null, 0, Integer.MAX_VALUE);

    /** Maximum number of findings reported. */
    private static final int MAX_FINDINGS = 5;

    static ObservedDrill of(ManagedDatabase database, RestoreDrills drills) {
        String replica = database.status().replica();
        List<DrillReport> reports = drills.reports(database).stream()
                .filter(report -> report.replica().equals(replica)) // not of an earlier replica
                .toList();
        return new ObservedDrill(
                reports.isEmpty() ? null : reports.get(0),
                reports.stream()
                        .filter(report -> report.outcome() != DrillOutcome.INCONCLUSIVE)
                        .findFirst()
                        .orElse(null),
                drills.inconclusiveInARow(database),
                drills.inconclusiveLimit());
    }

    /** Returns whether the last conclusive drill failed: an inconclusive one proves nothing. */
    boolean isFailed() {
        return conclusive != null && conclusive.outcome() == DrillOutcome.FAILED;
    }

    boolean isInconclusiveForLong() {
        return inconclusive >= limit;
    }

    /** Describes the last drill, and the failed one before it if the last was inconclusive. */
    Map<String, Object> describe() {
        Map<String, Object> details = new LinkedHashMap<>();
        if (last != null) {
            details.put("outcome", last.outcome());
            details.put("at", last.endedAt().toString());
            if (last.problem() != null) {
                details.put("problem", last.problem());
            }
        }
        if (inconclusive > 0) {
            details.put("inconclusiveInARow", inconclusive);
        }
        if (conclusive != null && isFailed()) {
            details.put("failedAt", conclusive.endedAt().toString());
            details.put(
                    "findings",
                    conclusive.findings().stream()
                            .limit(MAX_FINDINGS)
                            .map(ObservedDrill::text)
                            .toList());
        }
        return details;
    }

    private static String text(DrillFinding finding) {
        return finding.kind() + ": " + finding.text();
    }
}
