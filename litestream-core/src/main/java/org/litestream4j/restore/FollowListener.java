package org.litestream4j.restore;

import java.io.IOException;

/** Receives the progress of a follower. Methods are called on the follower's thread; they must be fast and must not throw. */
public interface FollowListener {

    /** Called when following has started, and when the standby has reached another state. */
    void onState(FollowState state);

    /**
     * Called when a step has failed and is retried, for example because the replica cannot be reached or readers keep
     * the standby busy. Called once for consecutive failures of the same kind; the next {@link #onState} or
     * {@link #onRecovered} ends the problem.
     */
    void onProblem(IOException problem);

    /** Called when the failed step has succeeded again. */
    void onRecovered();
}
