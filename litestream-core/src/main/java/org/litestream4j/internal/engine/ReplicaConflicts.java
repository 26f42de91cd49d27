package org.litestream4j.internal.engine;

import java.time.Clock;
import org.litestream4j.LitestreamEvent.Step;
import org.litestream4j.replica.ReplicaConflictException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops the replication of a database if another process writes to its replica, or if the replica belongs to another
 * database. Any lane may report a conflict; only the first report counts. Thread-safe.
 */
final class ReplicaConflicts {

    private static final Logger log = LoggerFactory.getLogger(ReplicaConflicts.class);

    private final String database;
    private final String replica;
    private final LaneStates laneStates;
    private final Progress progress;
    private final ReplicationWaits waits;
    private final Clock clock;

    /**
     * @param database name of the database
     * @param replica address of the replica, without secrets
     */
    ReplicaConflicts(
            String database,
            String replica,
            LaneStates laneStates,
            Progress progress,
            ReplicationWaits waits,
            Clock clock) {
        this.database = database;
        this.replica = replica;
        this.laneStates = laneStates;
        this.progress = progress;
        this.waits = waits;
        this.clock = clock;
    }

    /** Reports that another program writes to the replica. */
    void otherWriter(ReplicaConflictException e) {
        report("replication stopped, another process writes to the replica: db={} replica={} txid={}", e);
    }

    /** Reports that the replica's content does not belong to the database. */
    void otherDatabase(ReplicaConflictException e) {
        report("replication stopped, the replica seems to hold another database: db={} replica={} txid={}", e);
    }

    private void report(String line, ReplicaConflictException e) {
        synchronized (this) {
            if (laneStates.now().conflict()) {
                return;
            }
            progress.noteConflict(e, clock.instant()); // before the state that it explains
            laneStates.publishConflict();
        }
        progress.conflict(e);
        waits.reconsider();
        log.error(line, database, replica, laneStates.now().upload().replicated(), e);
    }

    /** Ends the failure of uploads, unless there is a conflict, whose reason is kept. Returns true if there was a failure. */
    synchronized boolean uploadSucceeded() {
        return !laneStates.now().conflict() && progress.succeeded(Step.UPLOAD, clock.instant());
    }
}
