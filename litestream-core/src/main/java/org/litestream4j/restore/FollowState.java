package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * A state that a standby has reached.
 *
 * @param step how
 * @param database the standby
 * @param txid its state
 * @param timestamp of that state; null if it was found there
 * @param pages that were changed
 */
public record FollowState(Step step, Path database, Txid txid, @Nullable Instant timestamp, long pages) {

    /** How a standby comes to a state. */
    public enum Step {
        /** Restored into a file that was not there. */
        RESTORED,
        /** Found as an earlier run has left it. */
        RESUMED,
        /** New files were applied. */
        APPLIED,
        /** Compared with a restored copy, as files in between are gone or the page size changed. */
        COPIED
    }

    public FollowState {
        requireNonNull(step, "step");
        requireNonNull(database, "database");
        requireNonNull(txid, "txid");
    }
}
