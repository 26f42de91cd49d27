package org.litestream4j.capture;

import java.nio.file.Path;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Within a process, one engine replicates a database file, whatever its names: hard links and bind mounts lead to one file with
 * several local states, and each of two engines would take the other's checkpoints for those of a stranger. Confined to the capture
 * lane.
 */
final class DatabaseClaim {

    /** Among the system properties, as other class loaders share the process; the value is the path that is in use. */
    private static final String CLAIMED = "org.litestream4j.database:";

    private @Nullable String mark;

    /**
     * Takes the file, if no engine has it.
     *
     * @param key device and inode
     * @throws CaptureException if another engine of this process has it
     */
    void take(Path database, Object key) throws CaptureException {
        String wanted = CLAIMED + key;
        Object other = System.getProperties().putIfAbsent(wanted, database.toString());
        if (other != null) {
            throw new CaptureException(
                    database,
                    "the same file is replicated in this process already, as " + other,
                    "register the database once, under one of its names",
                    null);
        }
        mark = wanted;
    }

    /** Idempotent. */
    void release() {
        String taken = mark;
        mark = null;
        if (taken != null) {
            Properties marks = System.getProperties();
            marks.remove(taken);
        }
    }
}
