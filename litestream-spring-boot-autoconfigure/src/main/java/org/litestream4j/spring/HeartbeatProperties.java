package org.litestream4j.spring;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Requests that tell a monitoring service that replication is current: {@code litestream.heartbeat.*}.
 *
 * @param url URL that is requested after every database was found to be replicated. No heartbeat without it.
 * @param interval Time between two heartbeats.
 * @param startUrl URL that is requested when the application has started.
 * @param failureUrl URL that is requested when a database is not replicated, once for each outage.
 */
public record HeartbeatProperties(
        @Nullable String url,
        @DefaultValue("5m") Duration interval,
        @Nullable String startUrl,
        @Nullable String failureUrl) {}
