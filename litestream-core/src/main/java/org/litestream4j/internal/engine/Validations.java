package org.litestream4j.internal.engine;

import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamListener;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Validations of one database's replica: the last results, the problems that a snapshot is to repair, and the time of
 * the next validation. {@link #runIfDue} and {@link #checkHealed} are confined to the compaction lane; all other
 * methods are thread-safe.
 */
final class Validations {

    private static final Logger log = LoggerFactory.getLogger(Validations.class);

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final Progress progress;
    private final LitestreamListener listener;
    private final Clock clock;

    private volatile @Nullable Ended last;
    private volatile @Nullable Ended lastDeep;

    /** Result with problems that a snapshot is to repair; null if there is none. */
    private volatile Validation.@Nullable Result healing;

    /** Transaction after which the replica is validated once another one follows; {@link Txid#NONE} if there is no need. */
    private volatile Txid doubted = Txid.NONE;

    // Time of the last scheduled validation; confined to the lane.
    private long lastMillis;
    private Txid lastTxid = Txid.NONE;
    private boolean suspected;

    private record Ended(Validation.Result result, Instant at) {}

    Validations(
            DatabaseConfig config, ReplicaClient client, Progress progress, LitestreamListener listener, Clock clock) {
        this.config = config;
        this.client = client;
        this.progress = progress;
        this.listener = listener;
        this.clock = clock;
        this.lastMillis = clock.millis();
    }

    /** Returns the last result; null if there was none. */
    Validation.@Nullable Result last() {
        Ended ended = last;
        return ended != null ? ended.result() : null;
    }

    /** Returns the result of the last validation that read all content; null if there was none. */
    Validation.@Nullable Result lastDeep() {
        Ended ended = lastDeep;
        return ended != null ? ended.result() : null;
    }

    /** Returns the time at which the last validation ended; null if there was none. */
    @Nullable
    Instant lastAt() {
        Ended ended = last;
        return ended != null ? ended.at() : null;
    }

    /** Records the result of a complete validation; returns true if a snapshot is to repair its problems. */
    boolean ended(Validation.Result result) {
        remember(result);
        if (result.uncovered().isEmpty()) {
            return false;
        }
        if (config.autoRecover()) {
            log.warn(
                    "replica is damaged, a snapshot follows: db={} replica={} problems={}",
                    config.name(),
                    client.url(),
                    result.uncovered());
            healing = result;
            return true;
        }
        log.error(
                "replica is damaged and needs a snapshot, auto-recover is off: db={} replica={} problems={}",
                config.name(),
                client.url(),
                result.uncovered());
        return false;
    }

    private void remember(Validation.Result result) {
        Ended now = new Ended(result, clock.instant());
        last = now;
        if (result.deep()) {
            lastDeep = now;
        }
    }

    /** Requests a validation once a transaction follows the given one, which may not be reachable. */
    void doubt(Txid replicaNewest) {
        doubted = replicaNewest;
    }

    /** Requests a validation immediately, because a merge met a gap. */
    void suspect() {
        suspected = true;
    }

    boolean isInDoubt() {
        return !doubted.isNone();
    }

    /** Returns whether a snapshot is to repair a problem. */
    boolean isHealing() {
        return healing != null;
    }

    /**
     * Validates the replica if a validation is due or was requested.
     *
     * @param replicated newest transaction of the replica
     * @param stop polled during the validation; a stopped validation has no result
     * @return whether a snapshot is to repair problems
     */
    boolean runIfDue(Txid replicated, BooleanSupplier stop) throws IOException {
        long interval = config.validationInterval().toMillis();
        long elapsed = clock.millis() - lastMillis; // negative if the clock was set back
        boolean due = interval != 0 && (elapsed >= interval || elapsed < 0) && !replicated.equals(lastTxid);
        boolean doubtful = isInDoubt() && replicated.isAfter(doubted);
        if (!due && !doubtful && !suspected) {
            return false;
        }
        suspected = false;
        doubted = Txid.NONE;
        lastMillis = clock.millis();
        lastTxid = replicated;
        Validation.Result result = Validation.run(client, false, stop);
        if (stop.getAsBoolean()) {
            return false; // it ended early
        }
        boolean heals = ended(result);
        listener.onEvent(new LitestreamEvent.Validated(config.name(), client.url(), result));
        return heals;
    }

    /**
     * Checks once whether a snapshot has repaired the replica. Remaining problems are left to the next validation.
     *
     * @param newestSnapshot last transaction of the replica's newest snapshot
     * @param stop polled during the validation; a stopped validation has no result
     */
    void checkHealed(Txid newestSnapshot, BooleanSupplier stop) throws IOException {
        Validation.Result found = healing;
        if (found == null
                || found.uncovered().stream().anyMatch(problem -> !problem.isCoveredBy(newestSnapshot))
                || !newestSnapshot.isAfter(found.snapshot())) {
            return;
        }
        Validation.Result now = Validation.run(client, false, stop);
        if (stop.getAsBoolean()) {
            return; // it ended early
        }
        healing = null;
        remember(now);
        if (!now.uncovered().isEmpty()) {
            log.error(
                    "replica is still damaged after the snapshot: db={} replica={} problems={}",
                    config.name(),
                    client.url(),
                    now.uncovered());
            return;
        }
        log.info("replica healed: db={} replica={} snapshot={}", config.name(), client.url(), now.snapshot());
        progress.healed(found.uncovered().toString(), "a snapshot of transaction " + now.snapshot());
    }
}
