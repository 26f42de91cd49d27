package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.LitestreamException;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.compaction.Validation;
import org.litestream4j.internal.engine.UploadState.Damage;
import org.litestream4j.internal.replication.LocalFileException;
import org.litestream4j.internal.replication.ReplicaComparison;
import org.litestream4j.internal.replication.Replication;
import org.litestream4j.internal.replication.SharedHistory;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaLostException;
import org.litestream4j.restore.PageSample;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Uploads one database's captured files to its replica, one at a time. Retries during outages of the replica. */
final class UploadLane {

    private static final Logger log = LoggerFactory.getLogger(UploadLane.class);

    private static final long FIRST_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long MAX_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Longest pause while commits or callers wait for the replica. */
    private static final long WAITED_FOR_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final DatabaseConfig config;
    private final Replication replication;
    private final ReplicaClient client;
    private final String replica;
    private final LaneStates laneStates;
    private final ReplicaConflicts conflicts;
    private final Progress progress;
    private final ReplicationWaits waits;
    private final OperationReports operations;
    private final Clock clock;
    private final Lane lane;

    private volatile boolean hurry;

    /** Whether a file was uploaded that was not read back yet. */
    private volatile boolean unchecked;

    // Confined to the lane.
    private @Nullable ReplicaComparison comparison;
    private int number;

    /** Local state with which the replica was last compared. */
    private int compared;

    /** Local state to which the verdict applies. */
    private int localStates;

    private int followed;
    private @Nullable SharedHistory sharedHistory;
    private int losses;
    private int verifiedLosses;
    private @Nullable Damage damage;
    private boolean needsRecovery;

    /** The last loss found by the compaction lane that was handled. */
    private @Nullable ReplicaLostException loss;

    /** Damage that no listing shows, found since the last comparison; null if there is none. */
    private @Nullable String damagedContent;

    private volatile long backoff; // written only by the lane

    UploadLane(
            DatabaseConfig config,
            Replication replication,
            ReplicaClient client,
            LaneStates laneStates,
            ReplicaConflicts conflicts,
            Progress progress,
            ReplicationWaits waits,
            OperationReports operations,
            Clock clock,
            Pools pools) {
        this.config = config;
        this.replication = replication;
        this.client = client;
        this.replica = client.url();
        this.laneStates = laneStates;
        this.conflicts = conflicts;
        this.progress = progress;
        this.waits = waits;
        this.operations = operations;
        this.clock = clock;
        this.lane = new Lane(this::run, progress.starts(Step.UPLOAD, clock), pools.upload, pools.timer);
        laneStates.subscribe(this::changed);
    }

    private void changed(LaneStates.View before, LaneStates.View after) {
        CaptureState capture = after.capture();
        if (!capture.captured().equals(before.capture().captured())
                || (capture.attached() && !before.capture().attached())
                || capture.localStates() != before.capture().localStates()
                || capture.imagedComparison() != before.capture().imagedComparison()
                || after.compaction().loss() != before.compaction().loss()
                || !after.compaction()
                        .newestSnapshot()
                        .equals(before.compaction().newestSnapshot())
                || after.compaction().listedLosses() != before.compaction().listedLosses()) {
            lane.wake();
        }
    }

    void wake() {
        lane.wake();
    }

    Txid replicated() {
        return replication.replicated();
    }

    /**
     * Records that a thread has begun to wait for the replica, which shortens the pause before the next attempt.
     * Thread-safe.
     */
    void waiterAdded() {
        if (backoff > WAITED_FOR_BACKOFF_NANOS) {
            lane.wakeIn(WAITED_FOR_BACKOFF_NANOS);
        }
    }

    /** Shortens all pauses, because the process is about to end. */
    void hurry() {
        hurry = true;
        lane.wake();
    }

    /** Returns whether everything uploaded was found on the replica. Thread-safe. */
    boolean isChecked() {
        return !unchecked;
    }

    boolean stop(Duration timeout) {
        return lane.stop(timeout);
    }

    private void publish() {
        laneStates.publish(new UploadState(
                comparison, number, localStates, followed, sharedHistory, replicated(), losses, damage, needsRecovery));
    }

    private void run() {
        if (laneStates.now().conflict()) {
            return;
        }
        boolean more = false;
        try {
            more = step();
            backoff = 0;
            needsRecovery = false;
            if (conflicts.uploadSucceeded()) {
                log.info("upload continues: db={} replica={} txid={}", config.name(), replica, replicated());
            }
        } catch (ReplicaConflictException e) {
            conflicts.otherWriter(e);
        } catch (ReplicaLostException e) {
            lost(e);
            more = true;
        } catch (LocalFileException e) {
            localFileLost(e);
        } catch (Throwable e) { // the lane must survive any failure
            fail(e);
        }
        publish();
        progress.signal();
        if (more) {
            lane.wake();
        }
    }

    /** Handles the loss of uploaded files: the replica is compared again, and missing files are replaced. */
    private void lost(ReplicaLostException e) {
        log.warn(
                "files are missing on the replica, uploading them or a full image: db={} replica={}",
                config.name(),
                replica,
                e);
        progress.healed(
                String.valueOf(e.getMessage()), "the replica is checked again; a full image follows if it is needed");
        losses++;
        if (e.isDamage()) {
            damagedContent = e.problem();
        }
        comparison = null;
        replication.lost();
        waits.positionLost();
    }

    /**
     * Handles the loss of a local file. Its content was not on the replica, but is still in the database, so that a
     * full image can safely replace it.
     */
    private void localFileLost(LocalFileException e) {
        if (config.autoRecover()) {
            String problem = String.valueOf(e.getMessage());
            if (!e.unreachable().isEmpty()) {
                damaged(e.replicated().next(), e.unreachable());
            }
            diverged(ReplicaComparison.diverged(e.replicated(), problem), null);
            progress.healed(problem, "a full image follows transaction " + e.replicated());
            return;
        }
        needsRecovery = true; // the whole local state may be lost
        fail(new LitestreamException(
                config.path().toString(),
                String.valueOf(e.getMessage()),
                "put the file back, or set {autoRecover=true}, or stop the application and reset the local state, for a"
                        + " full image in its place",
                e));
    }

    private void fail(Throwable e) {
        if (hurry && !replication.isPending()) {
            unchecked = false; // everything was uploaded; an outage at the end must not delay the shutdown
        }
        if (progress.failed(Step.UPLOAD, e, clock.instant())) {
            log.warn("upload failed, will retry: db={} replica={} txid={}", config.name(), replica, replicated(), e);
        }
        long next = Math.min(MAX_BACKOFF_NANOS, Math.max(FIRST_BACKOFF_NANOS, 2 * backoff));
        backoff = next;
        long pause = waits.isAnyone() ? Math.min(next, WAITED_FOR_BACKOFF_NANOS) : next;
        long jittered = ThreadLocalRandom.current().nextLong(pause / 2, pause + 1);
        lane.wakeIn(hurry ? FIRST_BACKOFF_NANOS : jittered);
    }

    private boolean step() throws IOException {
        ReplicaLostException found = laneStates.now().compaction().loss();
        if (found != null && found != loss) {
            loss = found;
            lost(found);
        }
        publish();
        ReplicaComparison known = laneStates.now().comparison();
        if (known == null) {
            known = compare();
        }
        if (known == null || known.diverged()) {
            return false;
        }
        if (followed != number) { // an image has continued the replica
            follow(known);
        }
        boolean uploaded = upload();
        if (isRestorable()) {
            waits.replicated(replicated());
        }
        publish();
        if (!uploaded) {
            long check = replication.checkPresence(hurry);
            unchecked = check >= 0;
            if (check >= 0) {
                lane.wakeIn(check);
            }
        }
        return uploaded;
    }

    /** Compares the replica with the local files; returns null if that must wait for the capture lane. */
    private @Nullable ReplicaComparison compare() throws IOException {
        CaptureState captured = laneStates.now().capture();
        if (!captured.attached()) {
            return null;
        }
        compared = captured.localStates();
        waits.positionLost(); // transactions after the replica's newest one may be lost, and their numbers reused
        Txid ours = replicated();
        ReplicaComparison found = replication.verify();
        Txid newest = found.replicaNewest();
        String broken = losses > verifiedLosses && !newest.isNone() ? breakInPast() : null;
        if (broken == null) {
            broken = damagedContent;
        }
        if (broken != null && found.unreachable().isEmpty()) {
            found = found.unreachable(broken);
        }
        boolean unreadable = found.diverged() && !newest.isNone() && !replication.isReadable(newest);
        noteDamage(found, unreadable);
        damagedContent = null;
        if (found.diverged()) {
            boolean shown = !ours.isNone() && ours.equals(newest); // written by this process
            boolean recorded = unreadable && replication.isRecorded(newest); // a damaged file shows no kinship
            boolean open = found.isSharedHistoryOpen() && !config.adoptReplica() && !shown && !recorded;
            diverged(found, open ? sharedHistoryWithReplica() : null);
        } else {
            replication.startAfter(found.replicaNewest());
            decide(found, null);
            followed = number;
            publish();
        }
        return found;
    }

    /**
     * Returns whether a restore can reach the uploaded transactions. Reports the repair of damage by a later snapshot.
     */
    private boolean isRestorable() {
        Damage found = damage;
        CompactionState listed = laneStates.now().compaction();
        Txid snapshot = listed.newestSnapshot();
        if (found != null && listed.listedLosses() == losses && !snapshot.isBefore(found.txid())) {
            damage = null;
            progress.healed(found.problem(), "a snapshot of transaction " + snapshot);
        }
        return damage == null;
    }

    /**
     * Records damage to the replica. Earlier damage remains until a snapshot follows it, unless the replica is empty.
     *
     * @param unreadable whether the newest file of the replica is damaged
     */
    private void noteDamage(ReplicaComparison found, boolean unreadable) {
        Txid newest = found.replicaNewest();
        Txid needed = found.diverged() ? newest.next() : newest; // the image that follows, or what is there
        Damage earlier = damage;
        if (!found.unreachable().isEmpty()) {
            damaged(needed, found.unreachable());
        } else if (unreadable) {
            damaged(needed, "the newest file of the replica, of transaction " + newest + ", is damaged");
        } else if (newest.isNone()) {
            damage = null;
        } else if (earlier != null) {
            damage = new Damage(needed, earlier.problem(), earlier.since());
        }
    }

    /**
     * Records damage to the replica, which a snapshot must repair.
     *
     * @param needed transaction that the snapshot must contain
     */
    private void damaged(Txid needed, String problem) {
        damage = new Damage(needed, problem, clock.instant());
        losses++; // a snapshot that was listed before may be what is missing
        verifiedLosses = losses;
        log.warn(
                "files of the replica are missing or damaged, a snapshot follows: db={} replica={} problem={}",
                config.name(),
                replica,
                problem);
    }

    /** Returns why no restore reaches the newest file after a loss: only that file may be left. Null if one does. */
    private @Nullable String breakInPast() throws IOException {
        Validation.Result past = Validation.run(client, false, () -> false);
        verifiedLosses = losses;
        return past.uncovered().isEmpty() ? null : "the replica lost files: " + past.uncovered();
    }

    @SuppressWarnings("NullAway") // the work may return null, as its type argument says
    private boolean upload() throws IOException {
        if (!replication.isPending()) {
            return false;
        }
        unchecked = true; // before the upload counts
        int level = replicated().isNone() ? ReplicaClient.SNAPSHOT_LEVEL : 0; // the first image is a snapshot
        return operations.observe(Kind.UPLOAD, level, Outcome::of, replication::uploadNext) != null;
    }

    /** Returns a sample of the replica; null if nothing can be restored from it. */
    private @Nullable SharedHistory sharedHistoryWithReplica() throws IOException {
        return PageSample.of(client)
                .map(sample -> new SharedHistory(sample.pageSize(), sample.commit(), sample.pages()))
                .orElse(null);
    }

    private void follow(ReplicaComparison known) throws IOException {
        replication.startAfter(known.replicaNewest());
        followed = number;
        sharedHistory = null;
        publish();
    }

    private void decide(ReplicaComparison found, @Nullable SharedHistory open) {
        number++;
        comparison = found;
        localStates = compared;
        sharedHistory = open;
    }

    /** @param open kinship that must be proven before an image may follow; null if none */
    private void diverged(ReplicaComparison found, @Nullable SharedHistory open) {
        decide(found, open);
        log.warn(
                "a full image follows: db={} replica={} txid={} reason={}",
                config.name(),
                replica,
                found.replicaNewest(),
                found.reason());
    }
}
