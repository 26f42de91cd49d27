package org.litestream4j.copy;

import java.io.IOException;
import org.litestream4j.replica.LtxFileInfo;

/** Receives the progress of a copy. Called by one thread at a time, which may be a worker; must return quickly. */
public interface CopyListener {

    /** Ignores everything. */
    CopyListener NONE = new CopyListener() {};

    /**
     * Called when files are about to be copied.
     *
     * @param files number of files, at least 1
     * @param bytes their size in bytes
     */
    default void onFiles(int files, long bytes) {}

    /** Called when a file was published at the target. */
    default void onCopied(LtxFileInfo file) {}

    /** Called after each copy of {@link ReplicaCopy#follow}. */
    default void onResult(CopyResult result) {}

    /** Called if a copy of {@link ReplicaCopy#follow} has failed; it is repeated after the interval. */
    default void onFailure(IOException failure) {}
}
