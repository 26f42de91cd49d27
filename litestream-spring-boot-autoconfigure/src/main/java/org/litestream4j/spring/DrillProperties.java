package org.litestream4j.spring;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Restore drills.
 *
 * @param enabled Whether to run restore drills of all databases regularly.
 * @param schedule Times of the drills: a cron expression of Spring with six fields, in the time zone of the JVM.
 * @param interval Interval between the drills, instead of a schedule; also across restarts. Without both, 24h.
 * @param directory Folder for restored databases, which are deleted after each drill, and for the reports of the last 30
 *     drills. By default "drills" in the folder of the local state of each database.
 * @param checks SQL queries about the restored databases. A drill fails if the first value of a result is not a number
 *     other than 0. They apply to every database; for one of several, define a bean of RestoreDrillCheck.
 * @param foreignKeys Whether a drill fails if rows violate foreign keys.
 * @param deep Whether a drill reads every file of the replica, not only those of the restored states.
 * @param timeout Maximum duration of a drill.
 * @param minFree Free space that drills leave on the disk of the directory.
 * @param load Percentage of one processor and of one connection that a drill uses, 1 to 100.
 * @param inconclusiveLimit Number of inconclusive drills in a row from which the health indicator reports "DEGRADED".
 */
public record DrillProperties(
        @DefaultValue("false") boolean enabled,
        @Nullable String schedule,
        @Nullable Duration interval,
        @Nullable String directory,
        List<String> checks,
        @DefaultValue("true") boolean foreignKeys,
        @DefaultValue("false") boolean deep,
        @DefaultValue("1h") Duration timeout,
        @DefaultValue("256MB") DataSize minFree,
        @DefaultValue("25") int load,
        @DefaultValue("3") int inconclusiveLimit) {

    /** Replaces an absent list by an empty one. */
    public DrillProperties {
        checks = checks == null ? List.of() : List.copyOf(checks);
    }
}
