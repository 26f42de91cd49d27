package org.litestream4j.restore;

import java.io.IOException;

/** Told what a follower does, on its thread. Must be fast and must not throw. */
public interface FollowListener {

    /** The standby has another state, or has begun. */
    void onState(FollowState state);

    /**
     * Something failed that is tried again: the replica cannot be reached, readers keep the standby busy. Told once for each kind
     * in a row; the next {@link #onState} or {@link #onRecovered} ends it.
     */
    void onProblem(IOException problem);

    /** It works again. */
    void onRecovered();
}
