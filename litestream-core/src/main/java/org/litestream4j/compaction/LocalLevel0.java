package org.litestream4j.compaction;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.OpenedFile;

/** Level-0 files that are at hand without a request, because they were captured here. */
@FunctionalInterface
public interface LocalLevel0 {

    /** There are none. */
    LocalLevel0 NONE = (name, size) -> null;

    /**
     * Opens a file for the caller to close; null if it is not here.
     *
     * @param size of the replica's file, in bytes: one of another size is another file
     */
    @Nullable
    OpenedFile open(LtxFileName name, long size) throws IOException;
}
