package org.litestream4j.compaction;

import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.compaction.VerifiedUpload.NameTakenException;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.StopSignal;

/**
 * Manages the levels, snapshots and retention of one replica. Lists the replica at its first {@link #run} and keeps
 * track of its content from then on; without new files, it sends no requests.
 *
 * <p>Confined to one lane, except for {@link #uploaded}, {@link #doubtAll}, {@link #status}, {@link #stop} and
 * {@link #resume}. After an {@link IOException}, the same call may be repeated: the replica is restorable at every
 * moment.
 */
public final class Compaction {

    private final Clock clock;
    private final StopSignal stop = new StopSignal();
    private final ReplicaIndex index;
    private final Inputs inputs;
    private final VerifiedUpload upload;
    private final Compactor compactor;
    private final Retention retention;
    private final SnapshotPolicy policy;
    private final Queue<LtxFileInfo> arrived = new ConcurrentLinkedQueue<>();

    private long snapshots;
    private boolean conflict;
    private volatile boolean doubted;
    private volatile CompactionStatus status = CompactionStatus.NONE;

    /**
     * @param local level-0 files that need not be downloaded
     * @param fence checked before every write and every deletion
     * @param clock clock for intervals and ages
     * @param nanoTime monotonic time in nanoseconds, to detect jumps of {@code clock}
     */
    public Compaction(
            ReplicaClient client,
            CompactionSettings settings,
            LocalLevel0 local,
            Fence fence,
            Clock clock,
            LongSupplier nanoTime) {
        this(client, settings, local, fence, Merging.PLAIN, clock, nanoTime);
    }

    /**
     * Creates an instance whose merges are run by the given runner.
     *
     * @param merging runs the merges
     */
    public Compaction(
            ReplicaClient client,
            CompactionSettings settings,
            LocalLevel0 local,
            Fence fence,
            Merging merging,
            Clock clock,
            LongSupplier nanoTime) {
        this.clock = clock;
        this.index = new ReplicaIndex(client);
        this.inputs = new Inputs(client, index, local, stop, settings.autoRecover());
        this.upload = new VerifiedUpload(client, index, fence, stop);
        this.compactor =
                new Compactor(client, index, settings.levels(), settings.pageEncoding(), inputs, upload, merging);
        this.retention = new Retention(client, index, settings, fence, nanoTime);
        this.policy = new SnapshotPolicy(index, inputs, settings.snapshotInterval());
    }

    /** Records a file that another component of this process has uploaded. Thread-safe. */
    public void uploaded(LtxFileInfo file) {
        arrived.add(file);
    }

    /**
     * Keeps the files of a mark that is about to be stored on the replica. Waits for the end of a running request that
     * deletes files. Thread-safe.
     *
     * @return token of this announcement
     */
    public Object announce(Mark mark) {
        return retention.pins().announce(mark);
    }

    /** Records that an announced mark is now stored on the replica. Thread-safe. */
    public void markStored(Object token) {
        retention.pins().stored(token);
    }

    /** Returns the tokens of announced marks of this name that are stored. Thread-safe. */
    public List<Object> announcedMarks(String name) {
        return retention.pins().tokens(name);
    }

    /** Records that an announced mark was not stored, or that a mark was removed. Thread-safe. */
    public void withdrawMark(Object token) {
        retention.pins().withdraw(token);
    }

    /**
     * Discards what is known of the content of the replica, because files were lost or a new history has begun: the
     * replica is listed again. Thread-safe.
     */
    public void doubtAll() {
        doubted = true;
    }

    /** Returns whether a merge has met a gap since the last call. */
    public boolean takeGap() {
        return compactor.takeGap();
    }

    /** Returns the current status. Thread-safe. */
    public CompactionStatus status() {
        return status;
    }

    /** Cancels running work soon. All further work is refused until {@link #resume}. Thread-safe. */
    public void stop() {
        stop.stop();
    }

    /** Permits work again after {@link #stop}. Thread-safe. */
    public void resume() {
        stop.resume();
    }

    /** Lists the levels of the replica whose content is unknown. */
    public void refresh() throws IOException {
        if (doubted) {
            doubted = false;
            arrived.clear(); // the listing has those that still exist
            index.doubtAll();
            inputs.forgetAll();
        }
        index.refresh();
        for (LtxFileInfo file = arrived.poll(); file != null; file = arrived.poll()) {
            index.add(file);
        }
        publishStatus();
    }

    /**
     * Merges the levels that are due and deletes files past their retention.
     *
     * @param force whether to merge all files that can be merged, even if they are not due
     * @return whether the work is complete; false if it was stopped, or if a file name was taken and the replica
     *     must be listed again: call again
     * @throws org.litestream4j.replica.ReplicaConflictException if another program writes to the replica
     */
    public boolean run(boolean force) throws IOException {
        refresh();
        try {
            compactor.run(clock.millis(), force);
            conflict = false;
            retention.run(clock.millis(), force);
            return true;
        } catch (NameTakenException e) {
            index.doubtAll();
            inputs.recheckMerged();
            boolean again = conflict;
            conflict = true;
            if (again) {
                throw e.conflict(); // although the replica was listed in the meantime
            }
            return false;
        } catch (ReplicaFileNotFoundException e) {
            index.doubtAll();
            throw e;
        } catch (StopSignal.StoppedException e) {
            return false;
        } finally {
            publishStatus();
        }
    }

    /**
     * Returns the time until work becomes due without further changes.
     *
     * @param replicated newest transaction on the replica
     * @return milliseconds from now; 0 if work is due, negative if none will become due
     */
    public long millisUntilDue(Txid replicated) {
        long now = clock.millis();
        long next = Math.min(compactor.nextDue(now), Math.min(retention.nextDue(now), policy.nextDue(now, replicated)));
        return next == Long.MAX_VALUE ? -1 : Math.max(0, next - now);
    }

    /** Returns whether a snapshot is due and would contain new transactions. */
    public boolean isSnapshotDue(Txid replicated) {
        long now = clock.millis();
        return policy.nextDue(now, replicated) <= now;
    }

    /** Returns whether the database has changed since the newest snapshot. */
    public boolean isChangedSinceSnapshot(Txid replicated) {
        return policy.isChanged(replicated);
    }

    /**
     * Publishes a snapshot.
     *
     * @param databaseChecksum checksum of the database after the snapshot's last transaction, if known
     * @param content content of the file; closed by the caller
     * @param source path of the content, for messages
     * @return whether the snapshot is published; false if the upload was stopped: call again
     */
    public boolean publishSnapshot(
            LtxFileName name, Instant timestamp, OptionalLong databaseChecksum, InputStream content, String source)
            throws IOException {
        refresh();
        try {
            if (name.max().isAfter(index.snapshots().newest())) {
                upload.publish(ReplicaClient.SNAPSHOT_LEVEL, name, timestamp, databaseChecksum, content, source);
                snapshots++;
            }
        } catch (StopSignal.StoppedException e) {
            return false;
        }
        publishStatus();
        return true;
    }

    private void publishStatus() {
        List<CompactionStatus.Level> levels = new ArrayList<>();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            levels.add(new CompactionStatus.Level(
                    index.level(level).count(),
                    index.level(level).bytes(),
                    compactor.merges(level),
                    compactor.mergedBytes(level),
                    Duration.ofNanos(compactor.mergeNanos(level)),
                    retention.deleted(level)));
        }
        LevelFiles known = index.snapshots();
        @Nullable Instant at = known.count() > 0 ? Instant.ofEpochMilli(known.newestTimestamp()) : null;
        status = new CompactionStatus(
                known.newest(),
                at,
                levels,
                retention.level0(clock.millis()),
                snapshots,
                retention.refused(),
                retention.problem());
    }
}
