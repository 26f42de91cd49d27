package org.litestream4j.compaction;

import java.io.IOException;
import org.litestream4j.ltx.LtxFileName;

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

    /**
     * Ensures the same before a file becomes visible.
     *
     * @throws org.litestream4j.replica.ReplicaConflictException if another program writes to the replica
     */
    default void ensureBeforePublishing(int level, LtxFileName name) throws IOException {
        ensure();
    }
}
