package org.litestream4j.internal.engine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The few threads that all databases share, named after their lanes. They are never interrupted, because some read
 * database files. The timer's thread exists from the beginning, so that it can retry when no thread can be started; its
 * tasks are short and access no file.
 */
final class Pools {

    private static final Logger log = LoggerFactory.getLogger(Pools.class);

    private static final int CAPTURE_THREADS = 4;
    private static final int UPLOAD_THREADS = 8;
    private static final int COMPACTION_THREADS = 2;
    private static final int WATCH_THREADS = 1;
    private static final long KEEP_ALIVE_SECONDS = 10;
    private static final long MAINTENANCE_SECONDS = 1;

    final Pool capture;
    final Pool upload;
    final Pool compaction;
    final Pool watch;
    final ScheduledExecutorService timer;
    private final ScheduledFuture<?> tending;

    /** @param threads creates all threads; they are named here */
    Pools(ThreadFactory threads) {
        capture = new Pool("litestream-capture", CAPTURE_THREADS, TimeUnit.SECONDS.toNanos(5), threads);
        upload = new Pool("litestream-upload", UPLOAD_THREADS, TimeUnit.MINUTES.toNanos(1), threads);
        compaction = new Pool("litestream-compaction", COMPACTION_THREADS, TimeUnit.MINUTES.toNanos(10), threads);
        watch = new Pool("litestream-watch", WATCH_THREADS, TimeUnit.SECONDS.toNanos(2), threads);
        ScheduledThreadPoolExecutor scheduled = new ScheduledThreadPoolExecutor(1, named("litestream-timer", threads));
        scheduled.setRemoveOnCancelPolicy(true);
        scheduled.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        scheduled.prestartCoreThread();
        tending = scheduled.scheduleWithFixedDelay(
                this::maintainThreads, MAINTENANCE_SECONDS, MAINTENANCE_SECONDS, TimeUnit.SECONDS);
        timer = scheduled;
    }

    private void maintainThreads() {
        capture.maintainThreads();
        upload.maintainThreads();
        compaction.maintainThreads();
        watch.maintainThreads();
    }

    private static ThreadFactory named(String name, ThreadFactory threads) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = threads.newThread(task);
            thread.setName(name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    static ThreadFactory threads() {
        return Executors.defaultThreadFactory();
    }

    /** Ends all threads. Call after all lanes have stopped. */
    void close() {
        tending.cancel(false);
        timer.shutdown();
        capture.shutdown();
        upload.shutdown();
        compaction.shutdown();
        watch.shutdown();
    }

    /**
     * Threads for one kind of lane. A task that hangs in its file system or its store must not block the lanes of other
     * databases: for each slow task, two threads are added, up to a limit.
     */
    static final class Pool extends ThreadPoolExecutor {

        private static final int MAX_EXTRA_THREADS = 32;

        private final int threads;
        private final long slowNanos;
        private final Map<Thread, Long> begun = new ConcurrentHashMap<>();

        /** @param slowNanos running time after which a task counts as slow, in nanoseconds */
        Pool(String name, int threads, long slowNanos, ThreadFactory factory) {
            super(
                    threads,
                    threads,
                    KEEP_ALIVE_SECONDS,
                    TimeUnit.SECONDS,
                    new LinkedBlockingQueue<>(),
                    named(name, factory));
            this.threads = threads;
            this.slowNanos = slowNanos;
            allowCoreThreadTimeOut(true);
        }

        /** Runs a task. Ignores failures to start a thread while at least one thread exists. */
        @Override
        public void execute(Runnable task) {
            try {
                super.execute(task);
            } catch (RejectedExecutionException e) {
                throw e;
            } catch (Throwable e) {
                if (getPoolSize() == 0) {
                    throw e;
                }
                getQueue().add(task);
            }
        }

        @Override
        protected void beforeExecute(Thread thread, Runnable task) {
            begun.put(thread, System.nanoTime());
        }

        @Override
        protected void afterExecute(Runnable task, Throwable failure) {
            begun.remove(Thread.currentThread());
        }

        /** Adjusts the number of threads; called on the timer's thread once a second. */
        private void maintainThreads() {
            try {
                long now = System.nanoTime();
                long slow = begun.values().stream()
                        .filter(since -> now - since > slowNanos)
                        .count();
                int wanted = threads + (int) Math.min(MAX_EXTRA_THREADS, 2 * slow);
                if (wanted > getCorePoolSize()) {
                    setMaximumPoolSize(wanted);
                    setCorePoolSize(wanted);
                } else if (wanted < getCorePoolSize()) {
                    setCorePoolSize(wanted);
                    setMaximumPoolSize(wanted);
                }
                if (getPoolSize() == 0 && !getQueue().isEmpty()) {
                    prestartCoreThread();
                }
            } catch (Throwable e) { // no thread available: retried in a second
                log.debug("cannot adapt the number of threads", e);
            }
        }
    }
}
