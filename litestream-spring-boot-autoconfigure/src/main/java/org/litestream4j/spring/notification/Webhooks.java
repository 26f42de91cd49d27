package org.litestream4j.spring.notification;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamListener;
import org.litestream4j.spring.notification.Webhook.Delivery;
import org.springframework.beans.factory.DisposableBean;

/** Passes events of the engine to every webhook. Never waits for a receiver. */
final class Webhooks implements LitestreamListener, DisposableBean {

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

    private final List<Webhook> webhooks;
    private final String application;

    Webhooks(List<Webhook> webhooks, String application) {
        this.webhooks = List.copyOf(webhooks);
        this.application = application;
    }

    @Override
    public void onEvent(LitestreamEvent event) {
        if (webhooks.isEmpty()) {
            return;
        }
        Instant now = Instant.now();
        String id = UUID.randomUUID().toString();
        Delivery delivery = new Delivery(
                id,
                EventJson.name(event.getClass()),
                now.getEpochSecond(),
                EventJson.write(event, id, application, now));
        webhooks.forEach(webhook -> webhook.offer(delivery));
    }

    @Override
    public void destroy() {
        webhooks.forEach(webhook -> webhook.close(CLOSE_TIMEOUT));
    }
}
