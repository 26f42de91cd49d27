package org.litestream4j.spring.notification;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers events to one receiver, in their order, on a thread that exists while events are waiting. An event that
 * cannot be delivered is repeated with growing pauses for about two minutes, and then dropped. Thread-safe.
 */
final class Webhook {

    private static final Logger LOG = LoggerFactory.getLogger(Webhook.class);

    /** Maximum number of events that wait. */
    static final int MAX_WAITING = 1_000;

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static final long KEEP_ALIVE_SECONDS = 10;

    private static final String ALGORITHM = "HmacSHA256";

    private final HttpTarget target;
    private final Set<String> events;
    private final @Nullable SecretKeySpec key;
    private final List<Duration> pauses;
    private final ThreadPoolExecutor thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicLong dropped = new AtomicLong();

    /**
     * @param events names of the events that are delivered
     * @param secret key of the signature; null if there is none
     * @param pauses pauses between the attempts
     */
    Webhook(HttpTarget target, Set<String> events, @Nullable String secret, List<Duration> pauses) {
        this.target = target;
        this.events = Set.copyOf(events);
        this.key = secret == null ? null : new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), ALGORITHM);
        this.pauses = List.copyOf(pauses);
        this.thread = new ThreadPoolExecutor(
                1,
                1,
                KEEP_ALIVE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MAX_WAITING),
                task -> {
                    Thread created = new Thread(task, "litestream-webhook");
                    created.setDaemon(true);
                    return created;
                },
                (task, pool) -> drop("too many events are waiting"));
        thread.allowCoreThreadTimeOut(true);
    }

    /** Delivers an event soon, if this receiver wants it. Returns immediately. */
    void offer(Delivery delivery) {
        if (events.contains(delivery.event())) {
            thread.execute(() -> deliver(delivery));
        }
    }

    /**
     * An event to deliver.
     *
     * @param id identifies the event in all attempts
     * @param event name of the event
     * @param timestamp seconds since 1970, part of the signature
     * @param body JSON object
     */
    record Delivery(String id, String event, long timestamp, String body) {}

    private void deliver(Delivery delivery) {
        byte[] body = delivery.body().getBytes(StandardCharsets.UTF_8);
        Map<String, String> headers = headers(delivery);
        String problem = "";
        for (int attempt = 0; attempt <= pauses.size(); attempt++) {
            try {
                if (attempt > 0 && closing.await(pauses.get(attempt - 1).toNanos(), TimeUnit.NANOSECONDS)) {
                    break;
                }
                target.post(body, headers, TIMEOUT);
                return;
            } catch (IOException e) {
                problem = e.toString();
                LOG.debug("webhook: attempt {} failed: url={} problem={}", attempt + 1, target, problem);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        drop(delivery.event() + " cannot be delivered: " + problem);
    }

    private void drop(String problem) {
        LOG.warn("webhook: event dropped: url={} problem={} dropped={}", target, problem, dropped.incrementAndGet());
    }

    private Map<String, String> headers(Delivery delivery) {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Litestream-Event", delivery.event());
        headers.put("Litestream-Delivery", delivery.id());
        headers.put("Litestream-Timestamp", Long.toString(delivery.timestamp()));
        if (key != null) {
            headers.put("Litestream-Signature", "sha256=" + signature(key, delivery.timestamp(), delivery.body()));
        }
        return headers;
    }

    /** Returns the HMAC-SHA256 of the timestamp, a full stop, and the body, in hexadecimal digits. */
    private static String signature(SecretKeySpec key, long timestamp, String body) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return HexFormat.of().formatHex(mac.doFinal((timestamp + "." + body).getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException(e); // every Java platform has this algorithm
        }
    }

    /** Returns the number of events that were not delivered. */
    long dropped() {
        return dropped.get();
    }

    /** Ends the delivery. Events that are waiting get one more attempt each, within the given time. */
    void close(Duration timeout) {
        closing.countDown();
        thread.shutdown();
        try {
            if (!thread.awaitTermination(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
                int left = thread.shutdownNow().size();
                LOG.warn(
                        "webhook: the application ends before all events were delivered: url={} waiting={}",
                        target,
                        left);
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
