package org.litestream4j.internal.capture;

import java.nio.file.Path;
import java.time.Duration;
import org.litestream4j.internal.files.SqlitePaths;
import org.litestream4j.ltx.PageEncoding;

/**
 * Settings for capturing one database; a subset of the options of {@code DatabaseConfig}.
 *
 * @param database file that SQLite opens, with all symbolic links resolved
 * @param metaPath folder of the local state
 * @param busyTimeout maximum wait for SQLite's locks
 * @param checkpointInterval maximum time from a write to a checkpoint round
 * @param minCheckpointPages number of pages in the WAL from which a checkpoint round runs before that time
 * @param walLimitPages number of pages in the WAL above which a checkpoint round takes the write lock
 * @param maxSyncWalBytes number of WAL bytes after which a level-0 file ends
 * @param pageEncoding encoding of the pages in level-0 files
 * @param databaseChecksum whether a checksum of the database is updated with each level-0 file
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

    /** Maximum time from when enough pages are in the WAL to a round. */
    private static final Duration PACE = Duration.ofSeconds(1);

    /** Returns the time between two rounds that have enough pages: one second, or a shorter checkpoint interval. */
    long checkpointPaceNanos() {
        return (checkpointInterval.compareTo(PACE) < 0 ? checkpointInterval : PACE).toNanos();
    }

    Path wal() {
        return SqlitePaths.wal(database);
    }
}
