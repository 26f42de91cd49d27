package org.litestream4j.spring;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Durability;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.restore.IntegrityCheck;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.NestedConfigurationProperty;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The {@code litestream.*} settings. The defaults are those of {@link org.litestream4j.DatabaseConfig}, and
 * of Litestream if it has the setting.
 *
 * @param enabled Whether to restore and replicate databases.
 * @param replica Replica of the application's database (spring.datasource.url).
 * @param metaPath Folder of the local state; a relative path is below the working directory. By default beside the
 *     database: ".app.db-litestream" for "app.db".
 * @param syncInterval Minimum time between two captures of a busy database. The first commit after a pause is captured
 *     immediately.
 * @param busyTimeout Maximum wait for SQLite's locks.
 * @param checkpointInterval Maximum time until changes are checkpointed.
 * @param minCheckpointPages Number of pages in the WAL that cause a checkpoint before the checkpoint interval has passed.
 * @param walLimitPages Number of pages in the WAL above which the engine blocks writers briefly, so that the WAL can
 *     restart.
 * @param maxSyncWalSize Amount of WAL content after which a level-0 file ends, at the next commit.
 * @param level0Retention How long level-0 files are kept: locally after they are replicated, on the replica after they are
 *     merged.
 * @param levels Intervals of levels 1, 2 and so on, in ascending order.
 * @param snapshot When snapshots are taken, and how long they are kept.
 * @param retention Whether files on the replica are deleted.
 * @param validation Whether the replica is checked for gaps.
 * @param shutdownSyncTimeout Maximum wait for the last upload when the application stops.
 * @param pageEncoding Encoding of pages. Use "frame" only before a hand-over to a version of Litestream before 0.5.16.
 * @param databaseChecksum Whether each captured state gets a checksum that restores compare. Takes 8 bytes of heap per page.
 * @param replaceWithEmpty Whether a new, empty database may continue a replica that holds a backup. If not, startup fails.
 * @param adoptReplica Whether a database may continue a replica although neither its local state nor its content shows that
 *     the replica belongs to it. If not, replication stops with the state CONFLICT.
 * @param autoRecover Whether to repair damage where that is safe, by a full image or a snapshot of the database. With
 *     "false", damage is only reported.
 * @param durability What a returned commit guarantees. "async": it is in the local database. "replicated": it is on the
 *     replica.
 * @param durabilityTimeout Maximum wait of a commit for the replica.
 * @param marks Marks that are set automatically.
 * @param restore How databases are restored.
 * @param health Thresholds of the health indicator.
 * @param drill Restore drills, which prove that the replicas can be restored.
 * @param databases Further databases (files, folders), and settings for the databases of DataSource beans, by name.
 * @param readReplicas DataSources that read a replica without a restore, by name.
 * @param heartbeat Requests that tell a monitoring service that replication is current.
 * @param webhooks Receivers of events.
 */
@ConfigurationProperties("litestream")
public record LitestreamProperties(
        @DefaultValue("true") boolean enabled,
        @NestedConfigurationProperty @DefaultValue ReplicaProperties replica,
        @Nullable String metaPath,
        @DefaultValue("1s") Duration syncInterval,
        @DefaultValue("1s") Duration busyTimeout,
        @DefaultValue("1m") Duration checkpointInterval,
        @DefaultValue("1000") int minCheckpointPages,
        @DefaultValue("16384") int walLimitPages,
        @DefaultValue("64MB") DataSize maxSyncWalSize,
        @DefaultValue("5m") Duration level0Retention,
        @DefaultValue({"30s", "5m", "1h"}) List<Duration> levels,
        @DefaultValue Snapshot snapshot,
        @DefaultValue Retention retention,
        @DefaultValue Validation validation,
        @DefaultValue("30s") Duration shutdownSyncTimeout,
        @DefaultValue("block") PageEncoding pageEncoding,
        @DefaultValue("true") boolean databaseChecksum,
        @DefaultValue("false") boolean replaceWithEmpty,
        @DefaultValue("false") boolean adoptReplica,
        @DefaultValue("true") boolean autoRecover,
        @DefaultValue("async") Durability durability,
        @DefaultValue("10s") Duration durabilityTimeout,
        @DefaultValue Marks marks,
        @DefaultValue Restore restore,
        @DefaultValue Health health,
        @NestedConfigurationProperty @DefaultValue DrillProperties drill,
        Map<String, Database> databases,
        Map<String, ReadReplicaProperties> readReplicas,
        @NestedConfigurationProperty @DefaultValue HeartbeatProperties heartbeat,
        List<WebhookProperties> webhooks) {

    /** Replaces absent maps and lists by empty ones. */
    public LitestreamProperties {
        databases = databases == null ? Map.of() : Map.copyOf(databases);
        readReplicas = readReplicas == null ? Map.of() : Map.copyOf(readReplicas);
        webhooks = webhooks == null ? List.of() : List.copyOf(webhooks);
    }

    /**
     * Snapshots.
     *
     * @param interval Time between two snapshots of a database that changes.
     * @param retention Minimum time for which earlier states stay restorable.
     * @param keep Snapshots that are kept beyond the retention.
     */
    public record Snapshot(
            @DefaultValue("24h") Duration interval, @DefaultValue("24h") Duration retention, @DefaultValue Keep keep) {}

    /**
     * Snapshots that are kept beyond the retention: the first of each period, in UTC. A period without a snapshot keeps the
     * last one before it.
     *
     * @param hourly Number of hours of which a snapshot is kept, the current one included. Beyond the retention, requires a
     *     snapshot interval of at most 1h.
     * @param daily Number of days of which a snapshot is kept.
     * @param weekly Number of weeks of which a snapshot is kept. Weeks begin on Monday.
     * @param monthly Number of months of which a snapshot is kept.
     * @param yearly Number of years of which a snapshot is kept.
     */
    public record Keep(
            @DefaultValue("0") int hourly,
            @DefaultValue("0") int daily,
            @DefaultValue("0") int weekly,
            @DefaultValue("0") int monthly,
            @DefaultValue("0") int yearly) {}

    /**
     * Marks.
     *
     * @param beforeMigration Whether to mark the state before Flyway or Liquibase runs with pending migrations. Startup fails
     *     if the mark cannot be set.
     * @param beforeMigrationKeep Time after which such a mark expires.
     * @param beforeMigrationTimeout Maximum wait for the upload of the state before a migration.
     */
    public record Marks(
            @DefaultValue("false") boolean beforeMigration,
            @DefaultValue("30d") Duration beforeMigrationKeep,
            @DefaultValue("1m") Duration beforeMigrationTimeout) {}

    /**
     * Deletion of files on the replica.
     *
     * @param enabled Whether to delete files from the replica when they are no longer needed. With "false", lifecycle rules
     *     of the store must delete them.
     */
    public record Retention(@DefaultValue("true") boolean enabled) {}

    /**
     * Checks of the replica.
     *
     * @param interval Interval at which the replica of a database that changes is checked for gaps. 0 disables the check.
     */
    public record Validation(@DefaultValue("0s") Duration interval) {}

    /**
     * Restores.
     *
     * @param onStartup What happens to a database whose file is missing, or has no content. "if-missing": it is restored
     *     before the first connection, if its replica holds a backup. "never": it begins empty.
     * @param directory Folder for files that are restored over the actuator endpoint. Without it, such restores are refused.
     * @param directorySize Maximum total size of the files in that folder. A restore that would exceed it is refused.
     * @param parallelism Number of connections to the replica during a restore, 1 to 64.
     * @param integrityCheck SQLite's own check of a restored database before it is used: "none", "quick" or "full".
     *     Checksums are always verified.
     */
    public record Restore(
            @DefaultValue("if-missing") OnStartup onStartup,
            @Nullable String directory,
            @DefaultValue("10GB") DataSize directorySize,
            @DefaultValue("8") int parallelism,
            @DefaultValue("none") IntegrityCheck integrityCheck) {}

    /** Restore at startup. */
    public enum OnStartup {
        /** Restores a database whose file is missing, or has no content, if its replica holds a backup. */
        IF_MISSING,
        /** Never restores. A missing database begins empty. */
        NEVER
    }

    /**
     * Thresholds of the health indicator.
     *
     * @param lagWarning Lag at which a database is reported as "DEGRADED".
     * @param lagDown Lag at which a database is reported as "DOWN".
     */
    public record Health(@DefaultValue("1m") Duration lagWarning, @DefaultValue("10m") Duration lagDown) {}

    /**
     * Settings of one database that differ from those of all databases.
     *
     * @param enabled Whether to restore and replicate the database.
     * @param path Path of the database file or, with a pattern, of a folder. Without it, the entry applies to the DataSource
     *     bean of this name, or to the application's database (spring.datasource.url).
     * @param pattern Files of the folder that are databases, for example "*.db" or, with all subfolders, "**&#47;*.db".
     * @param replica Replica of the database. Each database needs its own.
     * @param metaPath Folder of the local state; a relative path is below the working directory. By default beside the
     *     database: ".app.db-litestream" for "app.db".
     * @param syncInterval Minimum time between two captures of a busy database. The first commit after a pause is captured
     *     immediately.
     * @param busyTimeout Maximum wait for SQLite's locks.
     * @param checkpointInterval Maximum time until changes are checkpointed.
     * @param minCheckpointPages Number of pages in the WAL that cause a checkpoint before the checkpoint interval has
     *     passed.
     * @param walLimitPages Number of pages in the WAL above which the engine blocks writers briefly, so that the WAL can
     *     restart.
     * @param maxSyncWalSize Amount of WAL content after which a level-0 file ends, at the next commit.
     * @param level0Retention How long level-0 files are kept: locally after they are replicated, on the replica after they
     *     are merged.
     * @param levels Intervals of levels 1, 2 and so on, in ascending order.
     * @param snapshot When snapshots are taken, and how long they are kept.
     * @param retention Whether files on the replica are deleted.
     * @param validation Whether the replica is checked for gaps.
     * @param shutdownSyncTimeout Maximum wait for the last upload when the application stops.
     * @param pageEncoding Encoding of pages. Use "frame" only before a hand-over to a version of Litestream before 0.5.16.
     * @param databaseChecksum Whether each captured state gets a checksum that restores compare. Takes 8 bytes of heap per
     *     page.
     * @param replaceWithEmpty Whether a new, empty database may continue a replica that holds a backup. If not, startup
     *     fails.
     * @param adoptReplica Whether a database may continue a replica although neither its local state nor its content shows
     *     that the replica belongs to it. If not, replication stops with the state CONFLICT.
     * @param autoRecover Whether to repair damage where that is safe, by a full image or a snapshot of the database. With
     *     "false", damage is only reported.
     * @param durability What a returned commit guarantees. "async": it is in the local database. "replicated": it is on the
     *     replica.
     * @param durabilityTimeout Maximum wait of a commit for the replica.
     */
    public record Database(
            @DefaultValue("true") boolean enabled,
            @Nullable String path,
            @Nullable String pattern,
            @NestedConfigurationProperty @Nullable ReplicaProperties replica,
            @Nullable String metaPath,
            @Nullable Duration syncInterval,
            @Nullable Duration busyTimeout,
            @Nullable Duration checkpointInterval,
            @Nullable Integer minCheckpointPages,
            @Nullable Integer walLimitPages,
            @Nullable DataSize maxSyncWalSize,
            @Nullable Duration level0Retention,
            @Nullable List<Duration> levels,
            @Nullable OwnSnapshot snapshot,
            @Nullable Retention retention,
            @Nullable Validation validation,
            @Nullable Duration shutdownSyncTimeout,
            @Nullable PageEncoding pageEncoding,
            @Nullable Boolean databaseChecksum,
            @Nullable Boolean replaceWithEmpty,
            @Nullable Boolean adoptReplica,
            @Nullable Boolean autoRecover,
            @Nullable Durability durability,
            @Nullable Duration durabilityTimeout) {}

    /**
     * Snapshots of one database.
     *
     * @param interval Time between two snapshots of a database that changes.
     * @param retention Minimum time for which earlier states stay restorable.
     * @param keep Snapshots that are kept beyond the retention.
     */
    public record OwnSnapshot(@Nullable Duration interval, @Nullable Duration retention, @Nullable Keep keep) {}
}
