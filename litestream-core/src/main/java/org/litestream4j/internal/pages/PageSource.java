package org.litestream4j.internal.pages;

import java.io.IOException;

/**
 * The states of one replica that connections read: the newest one, which moves on as files appear, or one fixed moment.
 * Safe for use by several threads.
 */
public interface PageSource {

    /**
     * Returns the present state and counts one more reader of it, until {@link PinnedState#release}. Does not wait for
     * the replica.
     *
     * @throws StaleReplicaException if the state is older than the largest staleness that the reader allows
     * @throws IOException if this source is closed, or its moment is no longer on the replica
     */
    PinnedState pin() throws IOException;

    /** Returns the present state without counting a reader; its pages must not be read. */
    StateInfo latest();
}
