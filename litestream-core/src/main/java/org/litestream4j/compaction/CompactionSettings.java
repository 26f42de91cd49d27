package org.litestream4j.compaction;

import java.time.Duration;
import org.litestream4j.ltx.PageEncoding;

/**
 * Settings for the maintenance of one replica; the corresponding options of {@code DatabaseConfig}.
 *
 * @param levels levels into which level 0 is merged
 * @param level0Retention time for which level-0 files are kept after they are merged into level 1
 * @param snapshotInterval time between two snapshots of a database that changes
 * @param snapshotRetention period of history that is kept at least
 * @param snapshotKeep snapshots that are kept beyond that period
 * @param retentionEnabled whether expired files are deleted; false leaves deletion to the lifecycle rules of the
 *     store
 * @param pageEncoding encoding of pages in merged files
 * @param autoRecover whether a damaged file is repaired by a snapshot
 */
public record CompactionSettings(
        Levels levels,
        Duration level0Retention,
        Duration snapshotInterval,
        Duration snapshotRetention,
        SnapshotKeep snapshotKeep,
        boolean retentionEnabled,
        PageEncoding pageEncoding,
        boolean autoRecover) {}
