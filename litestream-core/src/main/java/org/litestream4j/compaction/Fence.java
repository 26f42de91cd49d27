package org.litestream4j.compaction;

import java.io.IOException;

/** Asked before every write and every deletion. */
@FunctionalInterface
public interface Fence {

    /** Nobody else can be there. */
    Fence NONE = () -> {};

    /**
     * Makes sure that nobody else writes to the replica.
     *
     * @throws org.litestream4j.replica.ReplicaConflictException if somebody does
     */
    void ensure() throws IOException;
}
