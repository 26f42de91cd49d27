package org.litestream4j;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.litestream4j.compaction.Validation;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreResult;

/** Event concerning a database or its replica; reported to each {@link LitestreamListener}. Contains no secrets. */
public sealed interface LitestreamEvent {

    /** Returns the name of the database. */
    String database();

    /** Steps of the replication of a database. */
    enum Step {
        /** From the WAL to level-0 files. */
        CAPTURE,
        /** From level-0 files to the replica. */
        UPLOAD,
        /** Merges, snapshots and retention on the replica. */
        COMPACTION,
        /** The check of the database's files for commits of other processes. */
        WATCH
    }

    /** Replication of a database has started. */
    record Registered(ManagedDatabase managed) implements LitestreamEvent {
        @Override
        public String database() {
            return managed.name();
        }
    }

    /** Replication of a database by this process has ended. */
    record Unregistered(String database) implements LitestreamEvent {}

    /**
     * A database was restored: because its file was missing, or in place.
     *
     * @param path path of the database
     * @param result result of the restore; after a restore in place, its target is a temporary file that no longer
     *     exists
     */
    record Restored(String database, Path path, RestoreResult result) implements LitestreamEvent {}

    /**
     * A step has failed. Reported once for each outage; the step is retried until it succeeds.
     *
     * @param replica address of the replica, without secrets
     * @param error the problem, with its remedy
     */
    record ReplicationFailed(String database, String replica, Step step, String error, Instant at)
            implements LitestreamEvent {}

    /**
     * A step that had failed has succeeded again.
     *
     * @param outage time since the first failure
     */
    record ReplicationRecovered(String database, String replica, Step step, Duration outage)
            implements LitestreamEvent {}

    /**
     * The captured state of a database differs from the database. A full image is captured next, and durable commits
     * wait for it. States restored from before that image may lack transactions.
     *
     * @param replica address of the replica, without secrets
     * @param problem the difference, with both values
     */
    record AuditFailed(String database, String replica, String problem) implements LitestreamEvent {}

    /** Another program writes to the replica. Replication of this database has stopped. */
    record Conflict(String database, String replica, String error) implements LitestreamEvent {}

    /**
     * A snapshot was written to the replica.
     *
     * @param txid last transaction in the snapshot
     */
    record SnapshotPublished(String database, String replica, Txid txid) implements LitestreamEvent {}

    /**
     * Damage was repaired, see {@link DatabaseConfig#autoRecover}.
     *
     * @param problem the damage
     * @param remedy the repair
     */
    record Healed(String database, String replica, String problem, String remedy) implements LitestreamEvent {}

    /** A scheduled validation of the replica has ended. */
    record Validated(String database, String replica, Validation.Result result) implements LitestreamEvent {}

    /** A restore drill has ended, with any outcome. */
    record Drilled(String database, String replica, DrillReport report) implements LitestreamEvent {}
}
