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
 * Publishes what happens as application events, on a thread of its own: listeners of the application may take their time, and
 * may use the database. What happens before the context is refreshed (the restore does) waits until there are listeners; what
 * happens while it closes is not published.
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

    /** The first of the context's end: listeners, and what they use, are destroyed from now on. */
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

    /** Goes on: what happens until the context closes is of interest, too. */
    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** First to start, last to stop. */
    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }

    /** Waits a moment for a listener that is busy; it is not interrupted. */
    @Override
    public void destroy() throws InterruptedException {
        thread.shutdown();
        if (!thread.awaitTermination(LAST_LISTENER_SECONDS, TimeUnit.SECONDS)) {
            LOG.warn("a listener of {} is still running", LitestreamEvent.class.getSimpleName());
        }
    }
}
