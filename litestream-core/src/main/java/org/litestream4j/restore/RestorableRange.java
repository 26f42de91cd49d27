package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import org.litestream4j.ltx.Txid;

/**
 * What a replica can restore: from which to which state. Not every TXID between is there once files were merged.
 *
 * @param earliest oldest state
 * @param earliestTime when it was replicated
 * @param latest newest state
 * @param latestTime when it was replicated
 */
public record RestorableRange(Txid earliest, Instant earliestTime, Txid latest, Instant latestTime) {

    public RestorableRange {
        requireNonNull(earliest, "earliest");
        requireNonNull(earliestTime, "earliestTime");
        requireNonNull(latest, "latest");
        requireNonNull(latestTime, "latestTime");
    }

    @Override
    public String toString() {
        return "TXID " + earliest + " (" + earliestTime + ") to " + latest + " (" + latestTime + ")";
    }
}
