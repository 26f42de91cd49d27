package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * State reached by a standby.
 *
 * @param step how the state was reached
 * @param database path of the standby
 * @param txid TXID of the state
 * @param timestamp time of the state; null for {@link Step#RESUMED}
 * @param pages number of changed pages
 */
public record FollowState(Step step, Path database, Txid txid, @Nullable Instant timestamp, long pages) {

    /** Ways in which a standby reaches a state. */
    public enum Step {
        /** Restored to a file that did not exist. */
        RESTORED,
        /** Found as left by an earlier run. */
        RESUMED,
        /** New files were applied. */
        APPLIED,
        /** Compared with a restored copy, because intermediate files no longer exist or the page size has changed. */
        COPIED
    }

    public FollowState {
        requireNonNull(step, "step");
        requireNonNull(database, "database");
        requireNonNull(txid, "txid");
    }
}
