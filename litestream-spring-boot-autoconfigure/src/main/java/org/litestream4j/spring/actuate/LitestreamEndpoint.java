package org.litestream4j.spring.actuate;

import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/** What is replicated, how far, and what went wrong; {@code POST} acts and needs {@code access=unrestricted}. */
@Endpoint(id = "litestream", defaultAccess = Access.READ_ONLY)
public final class LitestreamEndpoint {

    private static final Duration SYNC_TIMEOUT = Duration.ofSeconds(30);

    private final Litestream litestream;

    LitestreamEndpoint(Litestream litestream) {
        this.litestream = litestream;
    }

    /** All databases, by name. */
    @ReadOperation
    public Databases databases() {
        return new Databases(litestream.databases().stream()
                .map(ManagedDatabase::status)
                .map(DatabaseDescription::of)
                .sorted(Comparator.comparing(DatabaseDescription::name))
                .toList());
    }

    /** One database; null, hence 404, if there is none of that name. */
    @ReadOperation
    public @Nullable DatabaseDescription database(@Selector String name) {
        return litestream
                .database(name)
                .map(ManagedDatabase::status)
                .map(DatabaseDescription::of)
                .orElse(null);
    }

    /**
     * Acts on a database.
     *
     * @param timeout longest wait; 30 s if absent
     * @return what the database looks like afterwards
     * @throws IOException if the action failed or did not end in time
     */
    @WriteOperation
    public DatabaseDescription act(@Selector String name, @Selector Action action, @Nullable Duration timeout)
            throws IOException, InterruptedException {
        ManagedDatabase database = litestream
                .database(name)
                .orElseThrow(() -> new InvalidEndpointRequestException(
                        "no database named \"" + name + "\"", "No replicated database has this name"));
        switch (action) {
            case SYNC -> database.sync(timeout == null ? SYNC_TIMEOUT : timeout);
        }
        return DatabaseDescription.of(database.status());
    }

    /** What can be asked for. */
    public enum Action {
        /** Capture now, and wait until it is on the replica. */
        SYNC
    }

    /** All databases. */
    public record Databases(List<DatabaseDescription> databases) {}
}
