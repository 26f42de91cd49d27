package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.litestream4j.ltx.Txid;

/**
 * Result of a restore.
 *
 * @param target path of the database file
 * @param txid TXID of the restored state
 * @param timestamp time of the restored state
 * @param pageSize page size in bytes
 * @param pages size of the database in pages
 * @param databaseChecksum checksum taken when the state was captured, which the restored database was found to
 *     match; empty if the replica does not contain it
 * @param writtenChecksum database checksum of the pages that were written and read back
 * @param bytesRead bytes of LTX files read
 * @param files number of files merged, including {@code localFiles}
 * @param localFiles number of files that were not on the replica yet
 * @param movedAside new names of files that were in the way
 * @param elapsed duration of the restore
 */
public record RestoreResult(
        Path target,
        Txid txid,
        Instant timestamp,
        int pageSize,
        long pages,
        OptionalLong databaseChecksum,
        long writtenChecksum,
        long bytesRead,
        int files,
        int localFiles,
        List<Path> movedAside,
        Duration elapsed) {

    public RestoreResult {
        requireNonNull(target, "target");
        requireNonNull(txid, "txid");
        requireNonNull(timestamp, "timestamp");
        requireNonNull(databaseChecksum, "databaseChecksum");
        movedAside = List.copyOf(movedAside);
        requireNonNull(elapsed, "elapsed");
    }
}
