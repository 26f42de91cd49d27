package org.litestream4j.sample;

import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
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

    private static final Replication OFF = new Replication("OFF", null, null, null, null, null, null);

    private final ObjectProvider<Litestream> litestream;
    private final JdbcClient jdbc;
    private volatile @Nullable String schemaSince;

    /** @param litestream none with {@code litestream.enabled=false} */
    ReplicationController(ObjectProvider<Litestream> litestream, JdbcClient jdbc) {
        this.litestream = litestream;
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
        DatabaseStatus status = running.databases().iterator().next().status();
        return new Replication(
                status.state().name(),
                status.captured().toString(),
                status.replicated().toString(),
                status.lag().toMillis(),
                status.replica(),
                status.lastError(),
                schemaSince);
    }

    /** @param schemaSince when the newest migration ran, ISO 8601: no state from before it fits this application */
    record Replication(
            String state,
            @Nullable String captured,
            @Nullable String replicated,
            @Nullable Long lagMillis,
            @Nullable String replica,
            @Nullable String lastError,
            @Nullable String schemaSince) {}
}
