package org.litestream4j.compaction;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.OpenedFile;

/** Level-0 files that are available without a request, because this process captured them. */
@FunctionalInterface
public interface LocalLevel0 {

    /** An instance without files. */
    LocalLevel0 NONE = (name, size) -> null;

    /**
     * Opens a file, which the caller closes; returns null if the file is not available.
     *
     * @param size size of the replica's file in bytes; a local file of another size is a different file
     */
    @Nullable
    OpenedFile open(LtxFileName name, long size) throws IOException;
}
