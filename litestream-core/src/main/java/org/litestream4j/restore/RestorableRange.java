package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import org.litestream4j.ltx.Txid;

/**
 * Range of states that can be restored from a replica. After files have been merged, not every TXID in the range is
 * available.
 *
 * @param earliest oldest state
 * @param earliestTime time at which the oldest state was replicated
 * @param latest newest state
 * @param latestTime time at which the newest state was replicated
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
