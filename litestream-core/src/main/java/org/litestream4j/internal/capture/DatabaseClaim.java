package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Ensures that one process replicates a database file under only one of its names. A hard link or a bind mount gives
 * the file another name with a separate WAL, and two WALs corrupt the database. Several engines may use the same name,
 * because they share the WAL. Confined to the capture lane.
 */
final class DatabaseClaim {

    /** Prefix of system properties, which class loaders of one process share. */
    private static final String CLAIMED = "org.litestream4j.database:";

    private static final String END_OF_PLACE = "\n";

    private @Nullable String mark;

    /**
     * Claims the file for its name.
     *
     * @param key device and inode of the file
     * @throws CaptureException if an engine of this process has the file open under another name
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

    void release() {
        String taken = mark;
        mark = null;
        if (taken != null) {
            System.getProperties().remove(taken);
        }
    }
}
