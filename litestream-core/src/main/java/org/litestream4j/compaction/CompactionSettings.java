package org.litestream4j.compaction;

import java.time.Duration;
import org.litestream4j.ltx.PageEncoding;

/**
 * How one replica is kept; the options of {@code DatabaseConfig} that concern it.
 *
 * @param levels that level 0 is merged into
 * @param level0Retention how long level-0 files stay once they are merged into level 1
 * @param snapshotInterval time between two snapshots of a database that changes
 * @param snapshotRetention how much past is kept at least
 * @param retentionEnabled false if nothing is deleted here, but by rules of the store
 * @param pageEncoding of merged files
 * @param autoRecover whether a damaged file calls for a snapshot
 */
public record CompactionSettings(
        Levels levels,
        Duration level0Retention,
        Duration snapshotInterval,
        Duration snapshotRetention,
        boolean retentionEnabled,
        PageEncoding pageEncoding,
        boolean autoRecover) {}
