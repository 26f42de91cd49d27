package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamException;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.engine.ReplicationWaits.Urgency;
import org.litestream4j.internal.replication.Kinship;
import org.litestream4j.internal.replication.LocalFileException;
import org.litestream4j.internal.replication.Replication;
import org.litestream4j.internal.replication.Verdict;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaLostException;
import org.litestream4j.restore.PageSample;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings one database's captured files to its replica, one at a time; waits out the replica's outages. */
final class UploadLane {

    private static final Logger log = LoggerFactory.getLogger(UploadLane.class);

    private static final long FIRST_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long LONGEST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Longest pause while commits or callers wait for the replica. */
    private static final long WAITED_FOR_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final DatabaseConfig config;
    private final Replication replication;
    private final ReplicaClient client;
    private final String replica;
    private final CaptureLane capture;
    private final CompactionLane compaction;
    private final Progress progress;
    private final ReplicationWaits waits;
    private final Operations operations;
    private final Clock clock;
    private final Lane lane;

    private volatile @Nullable Verdict verdict;

    /** What must be shown before an image may follow on the replica; null if nothing (any more). */
    private volatile @Nullable Kinship kinship;

    /** Grows when the local state is lost; the verdict is about the one of {@link #verified}. */
    private final AtomicInteger localStates = new AtomicInteger();

    private volatile int verified;
    private volatile boolean conflict;
    private volatile boolean hurry;
    private volatile boolean lost;

    /** A local file is lost, and must not be healed. */
    private volatile boolean needsRecovery;

    // Confined to the lane.
    private @Nullable Verdict followed;

    /** The local state that the replica was last compared with. */
    private int checked;

    private volatile long backoff; // written by the lane alone

    UploadLane(
            DatabaseConfig config,
            Replication replication,
            ReplicaClient client,
            CaptureLane capture,
            CompactionLane compaction,
            Progress progress,
            ReplicationWaits waits,
            Operations operations,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.replication = replication;
        this.client = client;
        this.replica = client.url();
        this.capture = capture;
        this.compaction = compaction;
        this.progress = progress;
        this.waits = waits;
        this.operations = operations;
        this.clock = clock;
        this.lane = new Lane(this::run, progress.starts(Step.UPLOAD, clock), pools.upload, pools.timer);
    }

    void wake() {
        lane.wake();
    }

    /** What the replica says of the local files; null until it was asked. */
    @Nullable
    Verdict verdict() {
        return verified == localStates.get() ? verdict : null;
    }

    /** The local files are gone: what the replica holds is asked for anew. Call when the capture is detached. */
    void localStateLost() {
        localStates.incrementAndGet();
        lane.wake();
    }

    /** Whether captured files lead on from the replica, so that positions of both can be compared. */
    boolean isContinuing() {
        Verdict known = verdict();
        return known != null && !known.diverged();
    }

    boolean isConflict() {
        return conflict;
    }

    /** Whether a local file is lost, and it is not ours to go on without it. */
    boolean needsRecovery() {
        return needsRecovery;
    }

    Txid replicated() {
        return replication.replicated();
    }

    /**
     * Whether the database may follow on what the replica holds. If it is not shown that both are of one history, that is a
     * conflict. Call on the capture lane.
     */
    boolean accepts(Capture database) throws IOException {
        Kinship open = kinship;
        if (open == null || (config.replaceWithEmpty() && database.isEmpty())) {
            return true;
        }
        String contradiction = open.contradiction(database.pages());
        if (contradiction == null) {
            kinship = null;
            return true;
        }
        conflict(new ReplicaConflictException(
                replica,
                "it seems to hold another database than " + config.path() + ", and nothing was written: "
                        + contradiction + ", and no local state shows that the replica is this database's",
                "give the database a replica URL of its own; if the replica is its own (it was vacuumed, or restored to an"
                        + " early state, since), allow it once: in the application with litestream.adopt-replica=true, in plain"
                        + " Java with adoptReplica, on the command line with --adopt-replica",
                null));
        return false;
    }

    /** The capture lane has followed a diverged verdict: the image is the next file. */
    void imageTaken(Txid after) {
        verdict = Verdict.continues(after);
        lane.wake();
    }

    /** Somebody has begun to wait for the replica: no long pause before the next attempt. Any thread. */
    void waitedFor() {
        if (backoff > WAITED_FOR_BACKOFF_NANOS) {
            lane.wakeIn(WAITED_FOR_BACKOFF_NANOS);
        }
    }

    /** The process is about to end: no long pauses any more. */
    void hurry() {
        hurry = true;
        lane.wake();
    }

    boolean stop(Duration timeout) {
        return lane.stop(timeout);
    }

    private void run() {
        if (conflict) {
            return;
        }
        try {
            boolean more = step();
            backoff = 0;
            needsRecovery = false;
            if (succeeded()) {
                log.info("upload continues: db={} replica={} txid={}", config.name(), replica, replicated());
            }
            progress.signal();
            if (more) {
                lane.wake();
            }
        } catch (ReplicaConflictException e) {
            conflict(e);
        } catch (ReplicaLostException e) {
            lost(e);
        } catch (LocalFileException e) {
            localFileLost(e);
        } catch (Throwable e) { // whatever it is, the lane must go on
            fail(e);
        }
    }

    /** True if there was a failure, now over. The reason of a conflict, which another lane may have found meanwhile, stays. */
    private synchronized boolean succeeded() {
        return !conflict && progress.succeeded(Step.UPLOAD, clock.instant());
    }

    /** What was uploaded is gone from the replica: it is looked at anew, and what it needs follows. Any thread. */
    void lost(ReplicaLostException e) {
        log.warn(
                "files are missing on the replica, uploading what it needs: db={} replica={}",
                config.name(),
                replica,
                e);
        progress.healed(
                String.valueOf(e.getMessage()), "the replica is checked again; a full image follows if it is needed");
        lost = true;
        compaction.replicaLost();
        lane.wake();
    }

    /** What is lost was on no replica and is in the database still: an image in its place is safe. */
    private void localFileLost(LocalFileException e) {
        if (config.autoRecover()) {
            String problem = String.valueOf(e.getMessage());
            diverged(Verdict.diverged(e.replicated(), problem), checked);
            progress.healed(problem, "a full image follows transaction " + e.replicated());
            return;
        }
        needsRecovery = true;
        capture.wake(); // it may have been the whole local state
        fail(new LitestreamException(
                config.path().toString(),
                String.valueOf(e.getMessage()),
                "put the file back, or set litestream.auto-recover=true in the application (in plain Java"
                        + " autoRecover), or stop the application and reset the local state, for a full image in its"
                        + " place",
                e));
    }

    /** Someone else writes to the replica: all lanes stop. Any thread. */
    void conflict(ReplicaConflictException e) {
        synchronized (this) { // of two lanes, one tells it
            if (conflict) {
                return;
            }
            progress.noteConflict(e, clock.instant()); // who sees the conflict sees its reason
            conflict = true;
        }
        progress.conflict(e);
        waits.reconsider();
        log.error(
                kinship == null
                        ? "replication stopped, another process writes to the replica: db={} replica={} txid={}"
                        : "replication stopped, the replica seems to hold another database: db={} replica={} txid={}",
                config.name(),
                replica,
                replicated(),
                e);
        capture.wake();
    }

    private void fail(Throwable e) {
        if (progress.failed(Step.UPLOAD, e, clock.instant())) {
            log.warn("upload failed, will retry: db={} replica={} txid={}", config.name(), replica, replicated(), e);
        }
        long next = Math.min(LONGEST_BACKOFF_NANOS, Math.max(FIRST_BACKOFF_NANOS, 2 * backoff));
        backoff = next;
        long pause = waits.isAnyone() ? Math.min(next, WAITED_FOR_BACKOFF_NANOS) : next;
        long jittered = ThreadLocalRandom.current().nextLong(pause / 2, pause + 1);
        lane.wakeIn(hurry ? FIRST_BACKOFF_NANOS : jittered);
    }

    private boolean step() throws IOException {
        if (lost) {
            lost = false;
            verdict = null;
            followed = null;
            replication.lost();
        }
        Verdict known = verdict();
        if (known == null) {
            checked = localStates.get();
            if (!capture.isAttached()) {
                return false;
            }
            Txid ours = replicated();
            known = replication.verify();
            if (known.diverged()) {
                boolean shown = !ours.isNone() && ours.equals(known.replicaNewest()); // what this process put there
                kinship = known.isKinshipOpen() && !config.adoptReplica() && !shown ? kinshipWithReplica() : null;
                diverged(known, checked);
            } else {
                follow(known);
                verdict = known;
                verified = checked;
                capture.wake();
                compaction.wake();
            }
        }
        if (known.diverged()) {
            return false;
        }
        if (!known.equals(followed)) {
            follow(known);
        }
        boolean uploaded = upload();
        waits.replicated(replicated());
        if (waits.wants(Urgency.NEXT_UPLOAD)) {
            capture.wake();
        }
        if (!uploaded) {
            long check = replication.checkPresence();
            if (check >= 0) {
                lane.wakeIn(check);
            }
        }
        return uploaded;
    }

    private boolean upload() throws IOException {
        if (!replication.isPending()) {
            return false;
        }
        int level = replicated().isNone() ? ReplicaClient.SNAPSHOT_LEVEL : 0; // the first image is a snapshot
        return operations.observe(Kind.UPLOAD, level, Outcome::of, replication::uploadNext) != null;
    }

    /** Null if the replica holds nothing that could be restored. */
    private @Nullable Kinship kinshipWithReplica() throws IOException {
        return PageSample.of(client)
                .map(sample -> new Kinship(sample.pageSize(), sample.commit(), sample.pages()))
                .orElse(null);
    }

    private void follow(Verdict known) throws IOException {
        replication.startAfter(known.replicaNewest());
        followed = known;
    }

    private void diverged(Verdict found, int localState) {
        verdict = found;
        verified = localState;
        followed = null;
        log.warn(
                "a full image follows: db={} replica={} txid={} reason={}",
                config.name(),
                replica,
                found.replicaNewest(),
                found.reason());
        capture.wake();
    }
}
