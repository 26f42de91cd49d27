package org.litestream4j.sample;

import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Where replication stands, in the application's own words; the actuator endpoint {@code litestream} tells more. */
@RestController
class ReplicationController {

    private final Litestream litestream;

    ReplicationController(Litestream litestream) {
        this.litestream = litestream;
    }

    /** With {@code lagMillis} 0, every note that was acknowledged before this request is on the replica. */
    @GetMapping(path = "/api/replication", produces = MediaType.APPLICATION_JSON_VALUE)
    Replication replication() {
        DatabaseStatus status = litestream.databases().iterator().next().status();
        return new Replication(
                status.state(),
                status.captured().toString(),
                status.replicated().toString(),
                status.lag().toMillis(),
                status.replica(),
                status.lastError());
    }

    record Replication(
            DatabaseState state,
            String captured,
            String replicated,
            long lagMillis,
            String replica,
            @Nullable String lastError) {}
}
