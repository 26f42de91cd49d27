package org.litestream4j.spring;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.restore.RestoreException;

/** Thrown if a database is missing and cannot be restored. Startup fails instead of starting with an empty database. */
final class StartupRestoreException extends IOException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String remedy;

    StartupRestoreException(Path database, IOException cause) {
        super(
                "The database " + database + " does not exist and cannot be restored: "
                        + (cause.getMessage() == null ? cause : cause.getMessage()) + ".",
                cause);
        this.remedy = remedy(cause);
    }

    private static String remedy(IOException cause) {
        String remedy = "";
        if (cause instanceof ReplicaException replica) {
            remedy = replica.remedy();
        } else if (cause instanceof RestoreException restore) {
            remedy = restore.remedy();
        } else if (cause instanceof FileSystemException) { // of the local disk, not of a replica
            remedy = "Make the database's folder writable for this process, with room for the database";
        }
        return remedy.isEmpty() ? "Make the replica reachable and start again" : remedy;
    }

    /** Returns what to do. */
    String remedy() {
        return remedy;
    }
}
