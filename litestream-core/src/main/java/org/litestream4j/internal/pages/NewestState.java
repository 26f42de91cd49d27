package org.litestream4j.internal.pages;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The newest state, which one thread moves on as files appear on the replica. Thread-safe. */
final class NewestState implements PageSource {

    private static final Logger log = LoggerFactory.getLogger(NewestState.class);

    /** A replica in a folder is listed this often, as that needs no request, unless listing it takes long. */
    private static final long FOLDER_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** Part of the time that listing a folder may take. */
    private static final int FOLDER_SHARE = 4;

    /** A folder is listed at least this often, also while nobody reads. */
    private static final long MAX_FOLDER_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private static final long MAX_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final long MAX_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long AWAITED_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /** Number of consecutive failures after which they are logged. */
    private static final int LOGGED = 2;

    /** A state, and when it was known to be the newest one. */
    private record Known(StateFiles files, long at) {}

    private final ReadOnlyReplica replica;
    private final StateFinder states;
    private final FetchWorkers planning;
    private final PageReader reader;
    private final Pin.ReadAheads readAheads;
    private final Retries retries;
    private final PagesOptions options;
    private final NextStates follow;
    private final Thread thread;
    private volatile Known known;
    private volatile @Nullable String problem;

    /** Whether a reader came since the last look. */
    private volatile boolean used;

    private volatile boolean slow;

    /** Number of consecutive failures; used by the thread that follows. */
    private int failures;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private boolean wanted;

    private final AtomicInteger awaiting = new AtomicInteger();

    NewestState(
            ReadOnlyReplica replica,
            StateFinder states,
            FetchWorkers planning,
            PageReader reader,
            Pin.ReadAheads readAheads,
            Retries retries,
            PagesOptions options,
            State first,
            long listedAt) {
        this.replica = replica;
        this.states = states;
        this.planning = planning;
        this.reader = reader;
        this.readAheads = readAheads;
        this.retries = retries;
        this.options = options;
        follow = new NextStates(replica, states, first);
        known = new Known(new StateFiles(first, states, planning), listedAt);
        thread = new Thread(this::run, "litestream-pages-follow");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Override
    public PinnedState pin() throws IOException {
        retries.checkOpen();
        Known now = known;
        Duration lag = lag(now);
        used = true;
        if (slow) {
            pollSoon();
        }
        Duration most = options.maxStaleness();
        if (most != null && lag.compareTo(most) > 0) {
            String why = problem;
            throw new StaleReplicaException(replica.url() + ": it was last seen " + lag.toMillis()
                    + " ms ago, and at most " + most.toMillis() + " ms are allowed"
                    + (why == null ? "" : ": " + why) + "; check the connection to the replica, or allow more");
        }
        return new Pin(
                now.files(), reader, readAheads.get(), now.files().state().info(lag));
    }

    @Override
    public StateInfo latest() {
        Known now = known;
        return now.files().state().info(lag(now));
    }

    State state() {
        return known.files().state();
    }

    /** Finds the newest state again after a file of it could not be read. */
    void findAgain(State seen, IOException cause) throws IOException {
        StateFiles files = known.files();
        if (files.state().equals(seen)) {
            files.findAgain(seen, cause, retries.deadline());
        }
    }

    /** Returns why the replica could not be listed last; null if it could. */
    @Nullable
    String problem() {
        return problem;
    }

    private static Duration lag(Known known) {
        return Duration.ofNanos(Math.max(0, System.nanoTime() - known.at()));
    }

    /** Lets the replica be listed soon. */
    private void pollSoon() {
        lock.lock();
        try {
            wanted = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until a state at or after a TXID is known; returns whether it is. */
    boolean await(Txid txid, Duration time) throws InterruptedException {
        long left = time.toNanos();
        awaiting.incrementAndGet();
        lock.lock();
        try {
            wanted = true;
            changed.signalAll();
            while (state().txid().isBefore(txid)) {
                if (left <= 0 || retries.isClosed()) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
            awaiting.decrementAndGet();
        }
    }

    private void run() {
        long pause = interval(0);
        while (!retries.isClosed()) {
            pause(pause);
            if (retries.isClosed()) {
                return;
            }
            boolean wasUsed = used;
            used = false;
            State before = state();
            long begun = System.nanoTime();
            boolean ok = poll(begun);
            long took = System.nanoTime() - begun;
            boolean quiet = ok && !wasUsed && state().equals(before);
            if (!ok) {
                pause = Math.min(2 * Math.max(pause, interval(took)), MAX_BACKOFF_NANOS);
            } else if (quiet) {
                pause = Math.min(2 * pause, Math.max(longest(), interval(took)));
            } else {
                pause = interval(took);
            }
            slow = ok && pause > interval(took);
        }
    }

    private long interval(long took) {
        long nanos = options.pollInterval().toNanos();
        return replica.isFolder()
                ? Math.min(nanos, Math.min(MAX_FOLDER_INTERVAL_NANOS, Math.max(FOLDER_NANOS, FOLDER_SHARE * took)))
                : nanos;
    }

    private long longest() {
        long nanos = replica.isFolder() ? MAX_FOLDER_INTERVAL_NANOS : MAX_INTERVAL_NANOS;
        Duration most = options.maxStaleness();
        return most == null ? nanos : Math.min(nanos, most.toNanos() / 2);
    }

    private void pause(long nanos) {
        lock.lock();
        try {
            long left = awaiting.get() > 0 ? Math.min(nanos, AWAITED_NANOS) : nanos;
            while (left > 0 && !wanted && !retries.isClosed()) {
                left = changed.awaitNanos(left);
            }
            wanted = false;
        } catch (InterruptedException e) {
            log.debug("ignored an interrupt of {}", thread.getName());
        } finally {
            lock.unlock();
        }
    }

    private boolean poll(long begun) {
        try {
            State before = state();
            follow.continueFrom(before);
            follow.poll();
            if (!follow.isBehind()) {
                adopt(before, follow.state(), begun);
            }
            if (failures >= LOGGED) {
                log.info("replica {} can be read again", replica.url());
            }
            failures = 0;
            problem = null;
            return true;
        } catch (Throwable e) { // the thread must outlive every failure
            if (retries.isClosed()) {
                return false;
            }
            if (++failures == LOGGED) { // one failure is nothing to tell
                log.warn("replica {} cannot be listed; its last known state is read: {}", replica.url(), e.toString());
            }
            problem = String.valueOf(e.getMessage());
            return false;
        } finally {
            lock.lock();
            try {
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void adopt(State before, State now, long begun) {
        StateFiles files = known.files();
        if (!now.equals(before)) { // a reader may have found the state again meanwhile
            if (now.version() == before.version()) {
                files.replace(now);
            } else {
                files = new StateFiles(now, states, planning);
            }
        }
        known = new Known(files, begun);
    }

    /** Ends the thread; {@link Retries#close} comes first. */
    void close(Duration time) {
        pollSoon();
        try {
            thread.join(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
