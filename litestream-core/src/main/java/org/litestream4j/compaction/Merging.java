package org.litestream4j.compaction;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.LtxFileInfo;

/** Runs each merge, so that somebody can see how long it takes and how it ends. */
@FunctionalInterface
public interface Merging {

    /** Runs them, and nothing else. */
    Merging PLAIN = (level, merge) -> merge.run();

    /**
     * Runs a merge on this thread, and returns and throws what it does.
     *
     * @param level that it merges into
     */
    @Nullable
    LtxFileInfo run(int level, Merge merge) throws IOException;

    /** Merges once. */
    @FunctionalInterface
    interface Merge {

        /** The file that is on the replica now; null if there was nothing to merge after all. */
        @Nullable
        LtxFileInfo run() throws IOException;
    }
}
