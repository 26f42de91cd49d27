package org.litestream4j.sample;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.spring.drill.RestoreDrills;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.http.MediaType;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Where replication stands, in the application's own words; the actuator endpoint {@code litestream} tells more. */
@RestController
class ReplicationController {

    private static final Replication OFF = new Replication("OFF", null, null, null, null, null, null, null);

    private final ObjectProvider<Litestream> litestream;
    private final ObjectProvider<RestoreDrills> drills;
    private final JdbcClient jdbc;
    private volatile @Nullable String schemaSince;

    /** @param litestream none with {@code litestream.enabled=false} */
    ReplicationController(
            ObjectProvider<Litestream> litestream, ObjectProvider<RestoreDrills> drills, JdbcClient jdbc) {
        this.litestream = litestream;
        this.drills = drills;
        this.jdbc = jdbc;
    }

    /** Once: a restore in place may bring a database without this history back. */
    @EventListener(ApplicationReadyEvent.class)
    void readSchemaHistory() {
        schemaSince = jdbc.sql("select strftime('%Y-%m-%dT%H:%M:%fZ', max(installed_on)) from flyway_schema_history")
                .query(String.class)
                .single();
    }

    /** With {@code lagMillis} 0, every note that was acknowledged before this request is on the replica. */
    @GetMapping(path = "/api/replication", produces = MediaType.APPLICATION_JSON_VALUE)
    Replication replication() {
        Litestream running = litestream.getIfAvailable();
        if (running == null) {
            return OFF;
        }
        ManagedDatabase database = running.databases().iterator().next();
        DatabaseStatus status = database.status();
        return new Replication(
                status.state().name(),
                status.captured().toString(),
                status.replicated().toString(),
                status.lag().toMillis(),
                status.replica(),
                status.lastError(),
                schemaSince,
                drills.stream()
                        .flatMap(each -> each.reports(database).stream())
                        .findFirst()
                        .map(Drill::of)
                        .orElse(null));
    }

    /**
     * @param schemaSince when the newest migration ran, ISO 8601: no state from before it fits this application
     * @param drill the last restore drill; null if there was none
     */
    record Replication(
            String state,
            @Nullable String captured,
            @Nullable String replicated,
            @Nullable Long lagMillis,
            @Nullable String replica,
            @Nullable String lastError,
            @Nullable String schemaSince,
            @Nullable Drill drill) {}

    /** @param text the first finding, or what prevented the drill; null if it passed */
    record Drill(String outcome, Instant at, @Nullable Long recoveryMillis, @Nullable String text) {

        static Drill of(DrillReport report) {
            Duration recovery = report.recoveryTime();
            return new Drill(
                    report.outcome().name(),
                    report.endedAt(),
                    recovery == null ? null : recovery.toMillis(),
                    report.findings().isEmpty()
                            ? report.problem()
                            : report.findings().get(0).text());
        }
    }
}
