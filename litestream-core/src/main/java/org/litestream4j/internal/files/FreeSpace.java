package org.litestream4j.internal.files;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Free space of disks. Java finds the disk of a file through the list of mounts, which some containers lack; unknown
 * space counts as enough.
 */
public final class FreeSpace {

    private static final Logger LOG = LoggerFactory.getLogger(FreeSpace.class);

    private FreeSpace() {}

    /**
     * Returns the number of bytes that can be written to the disk of a file or folder; {@link Long#MAX_VALUE} if that is
     * unknown.
     */
    public static long of(Path existing) {
        try {
            FileStore store = store(existing);
            return store == null ? Long.MAX_VALUE : store.getUsableSpace();
        } catch (IOException e) {
            return unknown(existing, e);
        }
    }

    /** Returns whether two files or folders are on the same disk; false if that is unknown. */
    public static boolean isShared(Path one, Path other) {
        FileStore store = store(one);
        return store != null && store.equals(store(other));
    }

    private static @Nullable FileStore store(Path existing) {
        try {
            return Files.getFileStore(existing);
        } catch (IOException | SecurityException e) {
            unknown(existing, e);
            return null;
        }
    }

    private static long unknown(Path existing, Exception e) {
        LOG.debug("cannot determine the free space: path={}", existing, e);
        return Long.MAX_VALUE;
    }
}
