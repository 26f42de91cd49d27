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
 * What validations of one database's replica have found: the last results, what of them a snapshot is to make up for, and what
 * makes the next one due. {@link #runIfDue} and {@link #checkHealed} are confined to the compaction lane; all else is for any
 * thread.
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

    /** What was found that a snapshot makes up for; null if there is nothing (any more). */
    private volatile Validation.@Nullable Result healing;

    /** The replica is validated once something follows on this; {@link Txid#NONE} if there is no need. */
    private volatile Txid doubted = Txid.NONE;

    // Of the scheduled ones; confined to the lane.
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

    /** The last one; null if there was none. */
    Validation.@Nullable Result last() {
        Ended ended = last;
        return ended != null ? ended.result() : null;
    }

    /** The last one that read all content; null if there was none. */
    Validation.@Nullable Result lastDeep() {
        Ended ended = lastDeep;
        return ended != null ? ended.result() : null;
    }

    /** When the last one ended; null if there was none. */
    @Nullable
    Instant lastAt() {
        Ended ended = last;
        return ended != null ? ended.at() : null;
    }

    /** One came to its end. True if a snapshot is to heal what it found. */
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

    /** Whether a transaction of the replica can be reached is worth a look, once something follows on it. */
    void doubt(Txid replicaNewest) {
        doubted = replicaNewest;
    }

    /** A merge met a gap: the replica is validated at once. */
    void suspect() {
        suspected = true;
    }

    boolean isInDoubt() {
        return !doubted.isNone();
    }

    /** Whether a snapshot is to heal something. */
    boolean isHealing() {
        return healing != null;
    }

    /**
     * Validates the replica if it is time or there is doubt.
     *
     * @param replicated newest transaction of the replica
     * @param stop asked in between; what was stopped does not count
     * @return whether a snapshot is to heal what was found
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
     * Looks once whether a snapshot has healed the replica; what it has not is left for the next validation.
     *
     * @param newestSnapshot last transaction of the replica's newest
     * @param stop asked in between; what was stopped does not count
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
