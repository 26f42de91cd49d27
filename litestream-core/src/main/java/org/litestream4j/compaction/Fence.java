package org.litestream4j.compaction;

import java.io.IOException;

/** Checked before every write and every deletion. */
@FunctionalInterface
public interface Fence {

    /** A fence for a replica that no other writer can reach. */
    Fence NONE = () -> {};

    /**
     * Ensures that no other program writes to the replica.
     *
     * @throws org.litestream4j.replica.ReplicaConflictException if another program does
     */
    void ensure() throws IOException;
}
