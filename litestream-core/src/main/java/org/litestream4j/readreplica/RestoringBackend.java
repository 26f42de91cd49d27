package org.litestream4j.readreplica;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.Marks;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restores the whole database before it is queried, and again when the replica has new transactions: for processes in
 * which SQLite cannot fetch pages on demand. Connections keep the state that they opened; new ones get the newest.
 */
final class RestoringBackend implements ReadReplicaBackend {

    private static final Logger log = LoggerFactory.getLogger(RestoringBackend.class);

    /** The part of the time in which restores run is at most one in so many. */
    private static final int PAUSE_PER_RESTORE = 10;

    private final String name;
    private final String reason;
    private final ReplicaClient replica;
    private final ReadReplicaOptions options;
    private final Path folder;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    private final RestoredMoments moments;

    /** The newest file of the replica when it was polled last; only of the thread that follows. */
    private @Nullable LtxFileInfo polled;

    @GuardedBy("lock")
    private RestoredFile newest;

    @GuardedBy("lock")
    private long polledAt;

    @GuardedBy("lock")
    private @Nullable String problem;

    @GuardedBy("lock")
    private boolean isClosed;

    @GuardedBy("lock")
    private long restored;

    private volatile boolean isStopped;

    private RestoringBackend(String name, String reason, ReplicaClient replica, ReadReplicaOptions options, Path folder)
            throws IOException {
        this.name = name;
        this.reason = reason;
        this.replica = replica;
        this.options = options;
        this.folder = folder;
        moments = new RestoredMoments(name, this::restore);
        polledAt = System.nanoTime();
        newest = restore(RestoreTarget.latest());
        thread = new Thread(this::follow, "litestream-read-replica-" + name);
        thread.setDaemon(true);
    }

    /**
     * Restores the newest state and begins to follow.
     *
     * @param reason why pages cannot be fetched on demand
     * @param replica belongs to the returned object
     */
    static RestoringBackend open(String name, String reason, ReplicaClient replica, ReadReplicaOptions options)
            throws IOException {
        @Nullable Path folder = null;
        try {
            Path parent = options.folder();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            folder = parent == null
                    ? Files.createTempDirectory("litestream-read-replica")
                    : Files.createTempDirectory(parent, "restored");
            RestoringBackend opened = new RestoringBackend(name, reason, replica, options, folder);
            opened.thread.start();
            return opened;
        } catch (IOException | RuntimeException e) {
            if (folder != null) {
                delete(folder);
            }
            try {
                replica.close();
            } catch (IOException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    private RestoredFile restore(RestoreTarget target) throws IOException {
        long number;
        lock.lock();
        try {
            number = restored++;
        } finally {
            lock.unlock();
        }
        Path path = folder.resolve(number + ".db");
        RestoreResult result = Restore.restore(
                replica,
                path,
                RestoreOptions.builder()
                        .target(target)
                        .cancelled(() -> isStopped)
                        .build());
        return new RestoredFile(path, result.txid(), result.timestamp());
    }

    private void follow() {
        while (!isStopped) {
            long begun = System.nanoTime();
            @Nullable String failure = null;
            try {
                poll();
            } catch (IOException | RuntimeException e) {
                failure = e.getMessage() == null ? e.toString() : e.getMessage();
            }
            lock.lock();
            try {
                if (failure == null) {
                    polledAt = begun;
                } else if (problem == null && !isStopped) {
                    log.warn("replica cannot be read, retrying: read-replica={} error={}", name, failure);
                }
                problem = failure;
                changed.signalAll();
                long pause =
                        Math.max(options.pollInterval().toNanos(), PAUSE_PER_RESTORE * (System.nanoTime() - begun));
                while (!isStopped && pause > 0) {
                    pause = changed.awaitNanos(pause);
                }
            } catch (InterruptedException e) {
                return; // closed, or interrupted by the application
            } finally {
                lock.unlock();
            }
        }
    }

    private void poll() throws IOException {
        List<LtxFileInfo> files =
                Restore.plan(replica, RestoreOptions.defaults()).files();
        LtxFileInfo file = files.get(files.size() - 1);
        if (file.equals(polled)) {
            return;
        }
        if (isPresent(file)) {
            polled = file;
            return;
        }
        RestoredFile next = restore(RestoreTarget.latest());
        polled = file;
        RestoredFile last;
        lock.lock();
        try {
            last = newest;
            newest = next;
        } finally {
            lock.unlock();
        }
        last.delete();
    }

    /** Returns whether a file leads to the present state. A replica that was begun anew may repeat its TXID. */
    private boolean isPresent(LtxFileInfo file) throws IOException {
        RestoredFile present;
        lock.lock();
        try {
            present = newest;
        } finally {
            lock.unlock();
        }
        return file.maxTxid().equals(present.txid())
                && (file.exact() ? file.timestamp() : replica.timestamp(file)).toEpochMilli()
                        == present.timestamp().toEpochMilli();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public DataSource newest() {
        return new RestoredDataSource(this::connect);
    }

    /** Opens a connection to the newest state. The lock keeps its file until it is open. */
    private Connection connect() throws SQLException {
        lock.lock();
        try {
            requireOpen();
            Duration lag = lag();
            Duration max = options.maxStaleness();
            if (max != null && lag.compareTo(max) > 0) {
                throw new SQLException("the newest known state of the read replica " + name + " is " + lag
                        + " old, more than " + max + (problem == null ? "" : ": " + problem));
            }
            return newest.connect();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private Duration lag() {
        return Duration.ofNanos(System.nanoTime() - polledAt);
    }

    @GuardedBy("lock")
    private void requireOpen() throws SQLException {
        if (isClosed) {
            throw new SQLException("the read replica " + name + " is closed");
        }
    }

    @Override
    public DataSource asOf(RestoreTarget target) throws IOException {
        return moments.open(
                target instanceof RestoreTarget.AtMark mark
                        ? RestoreTarget.txid(Marks.require(replica, mark.name()).txid())
                        : target);
    }

    @Override
    public boolean awaitTxid(Txid txid, Duration timeout) throws IOException, InterruptedException {
        long end = System.nanoTime() + timeout.toNanos();
        lock.lockInterruptibly();
        try {
            while (newest.txid().isBefore(txid) && !isClosed) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                changed.awaitNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
            }
            return !isClosed;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public ReadReplicaStatus status() {
        lock.lock();
        try {
            return new ReadReplicaStatus(
                    name,
                    replica.url(),
                    newest.txid(),
                    newest.timestamp(),
                    lag(),
                    problem,
                    0,
                    0,
                    0,
                    0,
                    0,
                    ReadReplicaStatus.Hydration.DONE,
                    1,
                    reason);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            if (isClosed) {
                return;
            }
            isClosed = true;
            isStopped = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        moments.close();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lock.lock();
        try {
            newest.delete();
        } finally {
            lock.unlock();
        }
        delete(folder);
        replica.close();
    }

    /** Deletes a folder of files, now or when the process ends. */
    private static void delete(Path folder) {
        try (Stream<Path> left = Files.list(folder)) {
            for (Path file : left.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) { // connections have files open, on a system that keeps these
            folder.toFile().deleteOnExit();
        }
    }
}
