package org.litestream4j.compaction;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.LtxFileInfo;

/** Runs each merge; lets an observer measure its duration and outcome. */
@FunctionalInterface
public interface Merging {

    /** An instance that only runs the merges. */
    Merging PLAIN = (level, merge) -> merge.run();

    /**
     * Runs a merge on the calling thread, and returns its result or throws its exception.
     *
     * @param level level into which the files are merged
     */
    @Nullable
    LtxFileInfo run(int level, Merge merge) throws IOException;

    /** Merges once. */
    @FunctionalInterface
    interface Merge {

        /** Merges and returns the file that is now on the replica; null if there was nothing to merge. */
        @Nullable
        LtxFileInfo run() throws IOException;
    }
}
