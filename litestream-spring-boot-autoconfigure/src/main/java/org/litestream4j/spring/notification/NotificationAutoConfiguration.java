package org.litestream4j.spring.notification;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Litestream;
import org.litestream4j.spring.HeartbeatProperties;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.litestream4j.spring.LitestreamProperties;
import org.litestream4j.spring.LitestreamSettingException;
import org.litestream4j.spring.WebhookProperties;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.SearchStrategy;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;

/** Auto-configuration of heartbeats and webhooks, in the context that replicates the databases. */
@AutoConfiguration(after = LitestreamAutoConfiguration.class)
@ConditionalOnBean(
        value = {Litestream.class, LitestreamProperties.class},
        search = SearchStrategy.CURRENT)
public final class NotificationAutoConfiguration {

    private static final Duration MIN_INTERVAL = Duration.ofSeconds(1);

    private static final List<Duration> PAUSES = List.of(
            Duration.ofSeconds(1),
            Duration.ofSeconds(5),
            Duration.ofSeconds(15),
            Duration.ofSeconds(30),
            Duration.ofSeconds(60));

    /** Not lazy: no other bean requests it. */
    @Bean
    @Lazy(false)
    @ConditionalOnProperty("litestream.heartbeat.url")
    Heartbeat litestreamHeartbeat(Litestream litestream, LitestreamProperties properties) {
        HeartbeatProperties heartbeat = properties.heartbeat();
        if (heartbeat.interval().compareTo(MIN_INTERVAL) < 0) {
            throw new LitestreamSettingException(
                    "litestream.heartbeat.interval is shorter than a second.",
                    "Set litestream.heartbeat.interval to the period that the monitoring service expects, such as 5m.");
        }
        HttpClient client = HttpTarget.client();
        return new Heartbeat(
                litestream::databases,
                HttpTarget.of(client, "litestream.heartbeat.url", String.valueOf(heartbeat.url())),
                optional(client, "litestream.heartbeat.start-url", heartbeat.startUrl()),
                optional(client, "litestream.heartbeat.failure-url", heartbeat.failureUrl()),
                heartbeat.interval());
    }

    private static @Nullable HttpTarget optional(HttpClient client, String setting, @Nullable String url) {
        return url == null || url.isBlank() ? null : HttpTarget.of(client, setting, url);
    }

    @Bean
    Webhooks litestreamWebhooks(LitestreamProperties properties, Environment environment) {
        List<Webhook> webhooks = new ArrayList<>();
        HttpClient client = properties.webhooks().isEmpty() ? null : HttpTarget.client();
        for (WebhookProperties webhook : properties.webhooks()) {
            String setting = "litestream.webhooks[" + webhooks.size() + "]";
            if (client != null) {
                webhooks.add(webhook(client, setting, webhook));
            }
        }
        return new Webhooks(webhooks, environment.getProperty("spring.application.name", ""));
    }

    private static Webhook webhook(HttpClient client, String setting, WebhookProperties webhook) {
        if (webhook.url() == null || webhook.url().isBlank()) {
            throw new LitestreamSettingException(
                    setting + ".url is missing.", "Set it to the URL that receives the events.");
        }
        if (webhook.secret() != null && webhook.secret().isBlank()) {
            throw new LitestreamSettingException(
                    setting + ".secret is empty.", "Set it to the key of the signature, or remove it.");
        }
        return new Webhook(
                HttpTarget.of(client, setting + ".url", webhook.url()),
                events(setting, webhook.events()),
                webhook.secret(),
                PAUSES);
    }

    private static Set<String> events(String setting, @Nullable List<String> wanted) {
        Set<String> known = new TreeSet<>(EventJson.names());
        if (wanted == null || wanted.isEmpty()) {
            return known;
        }
        for (String event : wanted) {
            if (!known.contains(event)) {
                throw new LitestreamSettingException(
                        setting + ".events contains a name that is not an event.",
                        "Use these names: " + String.join(", ", known) + ".");
            }
        }
        return new TreeSet<>(wanted);
    }
}
