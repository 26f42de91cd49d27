package org.litestream4j.spring;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A receiver of events: {@code litestream.webhooks[].*}.
 *
 * @param url URL to which events are posted as JSON.
 * @param events Events that are posted, for example "replication-failed". All by default.
 * @param secret Key of the HMAC-SHA256 signature in the header "Litestream-Signature". No signature without it.
 */
public record WebhookProperties(@Nullable String url, @Nullable List<String> events, @Nullable String secret) {}
