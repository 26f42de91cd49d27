package org.litestream4j.spring;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextClosedEvent;

/**
 * Publishes events of the engine as application events, on a thread of its own: listeners of the application may be
 * slow, and may use the database. Events before the context is refreshed, such as those of the restore, are published
 * when the listeners exist. Events while the context closes are not published.
 */
final class EventPublisher
        implements LitestreamListener, SmartLifecycle, DisposableBean, ApplicationListener<ContextClosedEvent> {

    private static final Logger LOG = LoggerFactory.getLogger(EventPublisher.class);

    private static final int MOST_WAITING = 1_000;
    private static final long KEEP_ALIVE_SECONDS = 10;
    private static final long LAST_LISTENER_SECONDS = 1;

    private final ConfigurableApplicationContext context;
    private final ThreadPoolExecutor thread;

    @GuardedBy("this")
    private @Nullable List<LitestreamEvent> early = new ArrayList<>();

    private volatile boolean running;
    private volatile boolean closing;

    EventPublisher(ConfigurableApplicationContext context) {
        this.context = context;
        this.thread = new ThreadPoolExecutor(
                1,
                1,
                KEEP_ALIVE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MOST_WAITING),
                task -> {
                    Thread created = new Thread(task, "litestream-events");
                    created.setDaemon(true);
                    return created;
                },
                (task, pool) -> {
                    if (!pool.isShutdown()) {
                        LOG.warn("event dropped, {} others are waiting for slow listeners", MOST_WAITING);
                    }
                });
        thread.allowCoreThreadTimeOut(true);
    }

    @Override
    public synchronized void onEvent(LitestreamEvent event) {
        if (early != null) {
            early.add(event);
        } else {
            thread.execute(() -> publish(event));
        }
    }

    /** Ends publishing when the context starts to close, because listeners and their dependencies are destroyed from then on. */
    @Override
    public void onApplicationEvent(ContextClosedEvent event) {
        closing |= event.getApplicationContext() == context;
    }

    private void publish(LitestreamEvent event) {
        if (closing || !context.isActive()) {
            return;
        }
        try {
            context.publishEvent(event);
        } catch (RuntimeException e) {
            LOG.warn("a listener failed: db={} event={}", event.database(), event, e);
        }
    }

    @Override
    public synchronized void start() {
        List<LitestreamEvent> waiting = early;
        early = null;
        running = true;
        if (waiting != null) {
            waiting.forEach(this::onEvent);
        }
    }

    /** Does nothing: events are published until the context closes. */
    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Returns a phase that starts first and stops last. */
    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }

    /** Waits briefly for a busy listener, without interrupting it. */
    @Override
    public void destroy() throws InterruptedException {
        thread.shutdown();
        if (!thread.awaitTermination(LAST_LISTENER_SECONDS, TimeUnit.SECONDS)) {
            LOG.warn("a listener of {} is still running", LitestreamEvent.class.getSimpleName());
        }
    }
}
