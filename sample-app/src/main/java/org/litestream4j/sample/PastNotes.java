package org.litestream4j.sample;

import jakarta.annotation.PreDestroy;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.readreplica.ReadReplicaOptions;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.spring.LitestreamProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ResponseStatusException;

/**
 * The notes of a past moment, read from the replica without a restore. The replica is opened by the first question: at the
 * first start of the application, there is none yet.
 */
@Component
class PastNotes {

    private final ObjectProvider<LitestreamProperties> properties;
    private @Nullable ReadReplica replica;

    /** @param properties none with {@code litestream.enabled=false} */
    PastNotes(ObjectProvider<LitestreamProperties> properties) {
        this.properties = properties;
    }

    /** @throws ResponseStatusException if nothing is replicated, or if the moment is not on the replica */
    List<Note> asOf(Instant moment, int limit) throws IOException {
        DataSource then;
        try {
            then = replica().asOf(moment);
        } catch (RestoreException e) {
            throw new ResponseStatusException(HttpStatus.NOT_FOUND, e.getMessage(), e);
        }
        return new Notes(JdbcClient.create(then)).newest(limit);
    }

    private synchronized ReadReplica replica() throws IOException {
        if (replica == null) {
            LitestreamProperties settings = properties.getIfAvailable();
            String url = settings == null ? null : settings.replica().url();
            if (settings == null || url == null) {
                throw new ResponseStatusException(HttpStatus.NOT_FOUND, "nothing is replicated");
            }
            String scheme = ReplicaLocation.of(url).scheme();
            replica = ReadReplica.open(
                    new ReplicaLocation(url, settings.replica().settings(scheme)),
                    ReadReplicaOptions.builder().name("past-notes").build());
        }
        return replica;
    }

    @PreDestroy
    synchronized void close() throws IOException {
        if (replica != null) {
            replica.close();
        }
    }
}
