package org.litestream4j;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The few threads that all databases share, named for their lane. They are never interrupted: some read database files. */
final class Pools {

    private static final int CAPTURE_THREADS = 4;
    private static final int UPLOAD_THREADS = 8;
    private static final int COMPACTION_THREADS = 2;
    private static final long KEEP_ALIVE_SECONDS = 10;

    final ExecutorService capture = pool("litestream-capture", CAPTURE_THREADS);
    final ExecutorService upload = pool("litestream-upload", UPLOAD_THREADS);
    final ExecutorService compaction = pool("litestream-compaction", COMPACTION_THREADS);
    final ScheduledExecutorService timer = timer();

    private static ExecutorService pool(String name, int threads) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), named(name));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private static ScheduledExecutorService timer() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, named("litestream-timer"));
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return timer;
    }

    private static ThreadFactory named(String name) {
        AtomicInteger count = new AtomicInteger();
        ThreadFactory threads = Executors.defaultThreadFactory();
        return task -> {
            Thread thread = threads.newThread(task);
            thread.setName(name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Call after all lanes have stopped. */
    void close() {
        timer.shutdown();
        capture.shutdown();
        upload.shutdown();
        compaction.shutdown();
    }
}
