package org.litestream4j;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreResult;

/** Something that happened to a database or its replica; told to each {@link LitestreamListener}. Carries no secrets. */
public sealed interface LitestreamEvent {

    /** Name of the database. */
    String database();

    /** What a database's replication consists of. */
    enum Step {
        /** From the WAL to level-0 files. */
        CAPTURE,
        /** To the replica. */
        UPLOAD,
        /** Merges, snapshots and retention on the replica. */
        COMPACTION,
        /** The check of the database's files for commits of other processes. */
        WATCH
    }

    /** A database is replicated from now on. */
    record Registered(ManagedDatabase managed) implements LitestreamEvent {
        @Override
        public String database() {
            return managed.name();
        }
    }

    /** A database is no longer replicated here. */
    record Unregistered(String database) implements LitestreamEvent {}

    /**
     * A database was restored: because it was missing, or in place.
     *
     * @param path of the database
     * @param result its target is a side file that is gone, if the database was restored in place
     */
    record Restored(String database, Path path, RestoreResult result) implements LitestreamEvent {}

    /**
     * A step fails; told once, it is repeated until it succeeds.
     *
     * @param replica address without secrets
     * @param error what is wrong, with its remedy
     */
    record ReplicationFailed(String database, String replica, Step step, String error, Instant at)
            implements LitestreamEvent {}

    /**
     * A step that failed succeeds again.
     *
     * @param outage since the first failure
     */
    record ReplicationRecovered(String database, String replica, Step step, Duration outage)
            implements LitestreamEvent {}

    /**
     * What was captured of a database does not lead to its present state: a full image follows, and durable commits wait for
     * it. States restored from before that image may lack transactions.
     *
     * @param replica address without secrets
     * @param problem what differs, with both values
     */
    record AuditFailed(String database, String replica, String problem) implements LitestreamEvent {}

    /** Somebody else writes to the replica: replication of this database has ended. */
    record Conflict(String database, String replica, String error) implements LitestreamEvent {}

    /**
     * A snapshot is on the replica.
     *
     * @param txid its last transaction
     */
    record SnapshotPublished(String database, String replica, Txid txid) implements LitestreamEvent {}

    /**
     * Damage was healed, see {@link DatabaseConfig#autoRecover}.
     *
     * @param problem what was wrong
     * @param remedy what was done
     */
    record Healed(String database, String replica, String problem, String remedy) implements LitestreamEvent {}

    /** A scheduled validation of the replica ended. */
    record Validated(String database, String replica, Validation.Result result) implements LitestreamEvent {}
}
