package org.litestream4j.spring.actuate;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.litestream4j.ManagedDatabase;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The restores requested over HTTP: the running ones and the last ones that have ended. Thread-safe. */
final class Restores implements AutoCloseable {

    static final int MOST_RUNNING = 2;
    static final int MOST_ENDED = 50;

    private static final Logger LOG = LoggerFactory.getLogger(Restores.class);

    /**
     * Longest wait for running restores on close. A cancelled restore ends within about a second, unless the replica
     * does not respond.
     */
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(60);

    private static final Duration IDLE = Duration.ofSeconds(10);

    private final int parallelism;
    private final Clock clock;
    private final UnaryOperator<Runnable> observed;
    private final ThreadPoolExecutor pool;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Deque<RunningRestore> restores = new ArrayDeque<>(); // oldest first

    @GuardedBy("lock")
    private boolean closed;

    /**
     * @param parallelism number of connections to the replica for each restore
     * @param observed called on the thread that requests a restore; returns the task to run
     */
    Restores(int parallelism, Clock clock, UnaryOperator<Runnable> observed) {
        this.parallelism = parallelism;
        this.clock = clock;
        this.observed = observed;
        AtomicInteger threads = new AtomicInteger();
        this.pool = new ThreadPoolExecutor(
                MOST_RUNNING,
                MOST_RUNNING,
                IDLE.toMillis(),
                TimeUnit.MILLISECONDS,
                new LinkedBlockingQueue<>(),
                task -> {
                    Thread thread = new Thread(task, "litestream-http-restore-" + threads.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
    }

    /** @throws RequestException if the database is already being restored, or if too many restores are running */
    RunningRestore begin(ManagedDatabase database, RestoreRequest request) {
        lock.lock();
        try {
            if (closed) {
                throw new RequestException(RequestException.SERVICE_UNAVAILABLE, "the application is shutting down");
            }
            List<RunningRestore> running =
                    restores.stream().filter(RunningRestore::isRunning).toList();
            for (RunningRestore other : running) {
                if (other.database().equals(database.name())) {
                    throw new RequestException(
                            RequestException.CONFLICT,
                            "a restore of " + database.name() + " is running: " + other.id() + "; wait, or cancel it");
                }
            }
            if (running.size() >= MOST_RUNNING) {
                throw new RequestException(
                        RequestException.CONFLICT,
                        running.size() + " restores are running; wait for one to end, or cancel one");
            }
            RunningRestore restore =
                    new RunningRestore(UUID.randomUUID().toString(), database, request, parallelism, clock);
            restores.addLast(restore);
            forgetOldest();
            pool.execute(observed.apply(restore));
            return restore;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void forgetOldest() {
        long ended = 0;
        for (RunningRestore restore : restores) {
            ended += restore.isRunning() ? 0 : 1;
        }
        for (Iterator<RunningRestore> each = restores.iterator(); ended > MOST_ENDED && each.hasNext(); ) {
            if (!each.next().isRunning()) {
                each.remove();
                ended--;
            }
        }
    }

    /** Returns the restores of a database, newest first. */
    List<RunningRestore> of(String database) {
        lock.lock();
        try {
            List<RunningRestore> found = new ArrayList<>(restores.stream()
                    .filter(restore -> restore.database().equals(database))
                    .toList());
            Collections.reverse(found);
            return found;
        } finally {
            lock.unlock();
        }
    }

    Optional<RunningRestore> find(String database, String id) {
        return of(database).stream().filter(restore -> restore.id().equals(id)).findFirst();
    }

    /** Cancels running restores and waits for their end. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            restores.forEach(RunningRestore::cancel);
        } finally {
            lock.unlock();
        }
        pool.shutdown();
        try {
            if (!pool.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.error("restores are still running {} after they were cancelled", CLOSE_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
