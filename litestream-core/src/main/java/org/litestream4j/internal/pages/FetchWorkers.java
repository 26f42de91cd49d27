package org.litestream4j.internal.pages;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The threads that talk to the replica. They are never interrupted, and no reader's interrupt reaches them. They end when
 * there is nothing to do. Thread-safe.
 */
final class FetchWorkers {

    private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);

    /** What is done first. */
    enum Urgency {
        AWAITED,
        /** Expected to be awaited soon. */
        EXPECTED,
        POSSIBLE
    }

    private final AtomicLong order = new AtomicLong();
    private final ThreadPoolExecutor pool;
    private final Retries retries;

    FetchWorkers(int count, Retries retries) {
        this(count, retries, daemons());
    }

    FetchWorkers(int count, Retries retries, ThreadFactory threads) {
        this.retries = retries;
        pool = new ThreadPoolExecutor(
                count, count, KEEP_ALIVE.toMillis(), TimeUnit.MILLISECONDS, new PriorityBlockingQueue<>(), threads);
        pool.allowCoreThreadTimeOut(true);
    }

    private static ThreadFactory daemons() {
        AtomicInteger numbers = new AtomicInteger();
        return work -> {
            Thread thread = new Thread(work, "litestream-pages-" + numbers.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Runs work soon; after {@link #close}, on this thread, where it fails at once. */
    void execute(Urgency urgency, Runnable work) {
        try {
            pool.execute(new Task(urgency, order.incrementAndGet(), work));
        } catch (RejectedExecutionException e) {
            work.run();
        }
    }

    <T> Future<T> submit(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        execute(Urgency.AWAITED, task);
        return task;
    }

    private record Task(Urgency urgency, long order, Runnable work) implements Runnable, Comparable<Task> {

        @Override
        public void run() {
            work.run();
        }

        @Override
        public int compareTo(Task other) {
            int byUrgency = urgency.compareTo(other.urgency);
            return byUrgency != 0 ? byUrgency : Long.compare(order, other.order);
        }
    }

    /**
     * Waits for a result, regardless of interrupts.
     *
     * @throws ReplicaUnavailableException if it does not come until the deadline
     */
    <T> T await(Future<T> future, long deadline, String what) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (TimeoutException e) {
                    throw retries.unavailable(what, new IOException("no answer"));
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof IOException failure) {
                        throw failure;
                    }
                    throw new IOException(what + " could not be read: " + e.getCause(), e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends the threads once their work is done; {@link Retries#close} makes it fail soon. */
    void close() {
        pool.shutdown();
    }

    /** Returns whether all threads have ended within the time. */
    boolean awaitEnd(Duration time) {
        try {
            return pool.awaitTermination(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
