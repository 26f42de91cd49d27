package org.litestream4j.sample;

import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Where replication stands, in the application's own words; the actuator endpoint {@code litestream} tells more. */
@RestController
class ReplicationController {

    private static final Replication OFF = new Replication("OFF", null, null, null, null, null);

    private final ObjectProvider<Litestream> litestream;

    /** @param litestream none with {@code litestream.enabled=false} */
    ReplicationController(ObjectProvider<Litestream> litestream) {
        this.litestream = litestream;
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
                status.lastError());
    }

    record Replication(
            String state,
            @Nullable String captured,
            @Nullable String replicated,
            @Nullable Long lagMillis,
            @Nullable String replica,
            @Nullable String lastError) {}
}
