package org.litestream4j.internal.capture;

import java.nio.file.Path;
import java.time.Duration;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.ltx.PageEncoding;

/**
 * How one database is captured; the options of {@code DatabaseConfig} that concern it.
 *
 * @param database the file that SQLite opens, all links resolved
 * @param metaPath folder of the local state
 * @param busyTimeout longest wait for SQLite's locks
 * @param checkpointInterval longest time from a write to a checkpoint round
 * @param minCheckpointPages pages in the WAL that make a round worth its cost before that
 * @param walLimitPages pages in the WAL from which the write lock is taken for a round
 * @param maxSyncWalBytes WAL bytes after which a level-0 file ends
 * @param pageEncoding of the level-0 files
 * @param databaseChecksum whether a checksum of the database is kept up to date with each level-0 file
 */
public record CaptureSettings(
        Path database,
        Path metaPath,
        Duration busyTimeout,
        Duration checkpointInterval,
        int minCheckpointPages,
        int walLimitPages,
        long maxSyncWalBytes,
        PageEncoding pageEncoding,
        boolean databaseChecksum) {

    Path wal() {
        return SqlitePaths.wal(database);
    }
}
