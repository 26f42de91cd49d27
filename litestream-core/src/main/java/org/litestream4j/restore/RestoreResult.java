package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.litestream4j.ltx.Txid;

/**
 * What was restored.
 *
 * @param target the database file
 * @param txid its state
 * @param timestamp of that state
 * @param pageSize in bytes
 * @param pages of the database
 * @param databaseChecksum which the database was found to have, as it had when this state was captured; empty if the replica does
 *     not keep it
 * @param writtenChecksum database checksum of the pages that were written and read back
 * @param bytesRead of LTX files
 * @param files that were merged, those of {@code localFiles} included
 * @param localFiles how many of them were not on the replica yet
 * @param movedAside new names of files that were in the way
 * @param elapsed the whole restore
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
