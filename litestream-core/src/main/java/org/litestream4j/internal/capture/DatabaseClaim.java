package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Within a process, a database file is replicated under one of its names: a hard link, or a file that is mounted elsewhere, has a
 * WAL of its own beside it, and two WALs of one file ruin it. Several engines under one name share the WAL, and do no harm. Confined
 * to the capture lane.
 */
final class DatabaseClaim {

    /** Among the system properties, as other class loaders share the process. */
    private static final String CLAIMED = "org.litestream4j.database:";

    private static final String END_OF_PLACE = "\n";

    private @Nullable String mark;

    /**
     * Claims the file for its name.
     *
     * @param key device and inode
     * @throws CaptureException if an engine of this process has it open under another name
     */
    void take(Path database, Object key) throws IOException {
        Path real = database.toRealPath();
        String place = DatabaseFile.keyOf(requireNonNull(real.getParent())) + "/" + real.getFileName() + END_OF_PLACE;
        String wanted = CLAIMED + key;
        Object other = System.getProperties().putIfAbsent(wanted, place + database);
        if (other == null) {
            mark = wanted;
        } else if (!other.toString().startsWith(place)) {
            String text = other.toString();
            throw new CaptureException(
                    database,
                    "the same file is replicated in this process already, as "
                            + text.substring(text.indexOf(END_OF_PLACE) + 1),
                    "register the database once, under one of its names",
                    null);
        }
    }

    /** Idempotent. */
    void release() {
        String taken = mark;
        mark = null;
        if (taken != null) {
            System.getProperties().remove(taken);
        }
    }
}
