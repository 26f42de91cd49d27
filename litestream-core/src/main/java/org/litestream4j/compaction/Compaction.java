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
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;

/**
 * The levels, snapshots and retention of one replica. It lists the replica at its first {@link #run} and remembers what is
 * there from then on; nothing new, no request.
 *
 * <p>Confined to one lane, but for {@link #uploaded}, {@link #status}, {@link #stop} and {@link #resume}. After an {@link IOException} the same
 * call may be repeated: the replica is restorable at every moment.
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
     * @param local level-0 files that need not be fetched
     * @param fence asked before every write and every deletion
     * @param clock for windows and ages
     * @param nanoTime monotonic, to notice when {@code clock} jumps
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
     * The same, with merges that somebody else runs.
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

    /** A file was uploaded by somebody else in this process. Any thread. */
    public void uploaded(LtxFileInfo file) {
        arrived.add(file);
    }

    /** What is known of the replica is not true any more: it is listed again. Any thread. */
    public void doubtAll() {
        doubted = true;
    }

    /** Whether a merge met a gap since the last call. */
    public boolean takeGap() {
        return compactor.takeGap();
    }

    /** Any thread. */
    public CompactionStatus status() {
        return status;
    }

    /** Ends what runs, soon; nothing can be done until {@link #resume}. Any thread. */
    public void stop() {
        stop.stop();
    }

    /** Lets the lane go on after {@link #stop}. Any thread. */
    public void resume() {
        stop.resume();
    }

    /** Makes sure that it is known what the replica holds. */
    public void refresh() throws IOException {
        if (doubted) {
            doubted = false;
            index.doubtAll();
        }
        index.refresh();
        for (LtxFileInfo file = arrived.poll(); file != null; file = arrived.poll()) {
            index.add(file);
        }
        publishStatus();
    }

    /**
     * Merges what is due, and deletes what retention no longer needs.
     *
     * @param force whether everything is merged that can be, due or not
     * @return whether it was done; false if it was stopped, or a name was taken and the replica must be looked at first: call
     *     again
     * @throws org.litestream4j.replica.ReplicaConflictException if somebody else writes to the replica
     */
    public boolean run(boolean force) throws IOException {
        refresh();
        try {
            compactor.run(clock.millis(), force);
            conflict = false;
            retention.run(clock.millis());
            return true;
        } catch (NameTakenException e) {
            index.doubtAll();
            boolean again = conflict;
            conflict = true;
            if (again) {
                throw e.conflict(); // and that although the replica was listed since
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
     * When there will be something to do without further changes.
     *
     * @param replicated newest transaction on the replica
     * @return milliseconds from now, 0 for at once; negative for never
     */
    public long millisUntilDue(Txid replicated) {
        long now = clock.millis();
        long next = Math.min(compactor.nextDue(now), Math.min(retention.nextDue(now), policy.nextDue(now, replicated)));
        return next == Long.MAX_VALUE ? -1 : Math.max(0, next - now);
    }

    /** Whether it is time for a snapshot, and there is something new in it. */
    public boolean isSnapshotDue(Txid replicated) {
        long now = clock.millis();
        return policy.nextDue(now, replicated) <= now;
    }

    /** Whether anything changed since the newest snapshot. */
    public boolean isChangedSinceSnapshot(Txid replicated) {
        return policy.isChanged(replicated);
    }

    /**
     * Publishes a snapshot.
     *
     * @param databaseChecksum after its last transaction, if it is known
     * @param content the file; the caller closes it
     * @param source its path, for messages
     * @return whether it is there; false if it was stopped: call again
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
