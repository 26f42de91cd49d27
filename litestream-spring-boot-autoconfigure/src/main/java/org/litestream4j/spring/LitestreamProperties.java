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
 * The {@code litestream.*} settings. Defaults are the core's ({@link org.litestream4j.DatabaseConfig}), and Litestream's
 * where it has the setting.
 *
 * @param enabled Whether databases are restored and replicated at all.
 * @param replica Where the application's database (spring.datasource.url) is replicated to.
 * @param metaPath Folder of the local state; by default ".<file name>-litestream" beside the database. A relative path is below
 *     the working directory.
 * @param syncInterval Shortest time between two captures of a busy database; a commit after a pause goes at once.
 * @param busyTimeout Longest wait for SQLite's locks.
 * @param checkpointInterval A database that was written is checkpointed after this time at the latest.
 * @param minCheckpointPages Pages in the WAL from which a checkpoint is worth its cost.
 * @param walLimitPages Pages in the WAL from which writers are held back for a moment so that it can start again.
 * @param maxSyncWalSize Size of the WAL after which one level-0 file ends, at the next commit.
 * @param level0Retention How long level-0 files are kept: locally once they are replicated, on the replica once they are
 *     merged.
 * @param levels Intervals of levels 1, 2 and so on, ascending.
 * @param snapshot When snapshots are taken, and how long they are kept.
 * @param retention Whether files on the replica are deleted.
 * @param validation Whether the replica is checked for gaps.
 * @param shutdownSyncTimeout Longest wait for the last upload when the application stops.
 * @param pageEncoding How pages are written; "frame" only for a hand-over to Litestream before 0.5.16.
 * @param databaseChecksum Whether each captured state gets a checksum that restores compare, at 8 bytes of memory per page.
 * @param replaceWithEmpty Whether a new, empty database may follow on a replica that holds a backup; without it the start
 *     fails.
 * @param adoptReplica Whether a database may follow on a replica although neither local state nor content shows that the replica
 *     is its own; without it replication stops with the state CONFLICT.
 * @param autoRecover Whether damage is healed where that is safe: by a full image or a snapshot of the database. "false" only
 *     reports it.
 * @param durability What the return of a commit means. "async": it is in the local database; "replicated": it is on the
 *     replica.
 * @param durabilityTimeout Longest wait of a commit for the replica.
 * @param restore How databases are restored.
 * @param health Thresholds of the health indicator.
 * @param databases More databases (files, folders), and other settings for those of DataSource beans; by name.
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
        @DefaultValue Restore restore,
        @DefaultValue Health health,
        Map<String, Database> databases) {

    /** An absent map is an empty one. */
    public LitestreamProperties {
        databases = databases == null ? Map.of() : Map.copyOf(databases);
    }

    /**
     * Snapshots.
     *
     * @param interval Time between two snapshots of a database that changes.
     * @param retention How much past is kept at least.
     */
    public record Snapshot(@DefaultValue("24h") Duration interval, @DefaultValue("24h") Duration retention) {}

    /**
     * Deleting on the replica.
     *
     * @param enabled Whether files on the replica are deleted; "false" leaves that to rules of the store.
     */
    public record Retention(@DefaultValue("true") boolean enabled) {}

    /**
     * Checks of the replica.
     *
     * @param interval How often the replica of a database that changes is checked for gaps; 0 for never.
     */
    public record Validation(@DefaultValue("0s") Duration interval) {}

    /**
     * Restores.
     *
     * @param onStartup "if-missing": a database without a file (or with one of 0 bytes) is restored before the first
     *     connection, if its replica holds anything. "never": it begins empty.
     * @param directory Folder for files that are restored over the actuator endpoint; without it there are none.
     * @param directorySize Most bytes that all files in that folder may have together; a restore that would exceed it is refused.
     * @param parallelism Connections to the replica during a restore, 1 to 64.
     * @param integrityCheck SQLite's own check of a restored database before it is used: "none", "quick" or "full". Checksums
     *     are verified in any case.
     */
    public record Restore(
            @DefaultValue("if-missing") OnStartup onStartup,
            @Nullable String directory,
            @DefaultValue("10GB") DataSize directorySize,
            @DefaultValue("8") int parallelism,
            @DefaultValue("none") IntegrityCheck integrityCheck) {}

    /** When a start restores. */
    public enum OnStartup {
        /** A database without a file (or with an empty one) is restored from its replica, if that holds anything. */
        IF_MISSING,
        /** Never: a missing database begins empty. */
        NEVER
    }

    /**
     * Thresholds of the health indicator.
     *
     * @param lagWarning Lag from which a database is reported as "DEGRADED".
     * @param lagDown Lag from which a database is reported as "DOWN".
     */
    public record Health(@DefaultValue("1m") Duration lagWarning, @DefaultValue("10m") Duration lagDown) {}

    /**
     * One database: what differs from the settings above.
     *
     * @param enabled Whether the database is replicated; false leaves it alone.
     * @param path Of the database file, or with a pattern of a folder; without it these are settings of the DataSource bean of
     *     this name, or of the application's database (spring.datasource.url).
     * @param pattern Which files of the folder are databases, for example "*.db" or, with those of all subfolders, "**&#47;*.db".
     * @param replica Where it is replicated to; each database needs a replica of its own.
     * @param metaPath Folder of the local state; by default ".<file name>-litestream" beside the database.
     * @param syncInterval Shortest time between two captures of a busy database.
     * @param busyTimeout Longest wait for SQLite's locks.
     * @param checkpointInterval A database that was written is checkpointed after this time at the latest.
     * @param minCheckpointPages Pages in the WAL from which a checkpoint is worth its cost.
     * @param walLimitPages Pages in the WAL from which writers are held back for a moment so that it can start again.
     * @param maxSyncWalSize Size of the WAL after which one level-0 file ends, at the next commit.
     * @param level0Retention How long level-0 files are kept, locally once replicated and on the replica once merged.
     * @param levels Intervals of levels 1, 2 and so on, ascending.
     * @param snapshot When snapshots are taken, and how long they are kept.
     * @param retention Whether files on the replica are deleted.
     * @param validation Whether the replica is checked for gaps.
     * @param shutdownSyncTimeout Longest wait for the last upload when the application stops.
     * @param pageEncoding How pages are written.
     * @param databaseChecksum Whether each captured state gets a checksum that restores compare.
     * @param replaceWithEmpty Whether a new, empty database may follow on a replica that holds a backup.
     * @param adoptReplica Whether the database may follow on a replica although nothing shows that the replica is its own.
     * @param autoRecover Whether damage is healed where that is safe.
     * @param durability What the return of a commit means.
     * @param durabilityTimeout Longest wait of a commit for the replica.
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
     * @param retention How much past is kept at least.
     */
    public record OwnSnapshot(@Nullable Duration interval, @Nullable Duration retention) {}
}
