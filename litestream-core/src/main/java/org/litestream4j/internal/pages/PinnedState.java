package org.litestream4j.internal.pages;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A state that a reader holds: its pages stay readable until {@link #release}. Safe for use by several threads. */
public interface PinnedState {

    StateInfo info();

    /**
     * Reads bytes of the database file as they were in this state: the page as it is on the replica, without change.
     *
     * @param offset in bytes from the start of the database file
     * @param target filled from its position to its limit
     * @return number of bytes read; less than asked only past the end of the state
     * @throws ReplicaUnavailableException if the replica did not answer within the deadline; trying again may succeed
     * @throws IOException if the pages are damaged, gone or impossible to read; trying again does not help
     */
    int read(long offset, ByteBuffer target) throws IOException;

    /** Ends the use of this state. Further calls have no effect. */
    void release();
}
