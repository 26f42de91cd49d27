package org.litestream4j.spring;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.litestream4j.error.RemedyException;

/** Thrown if a database is missing and cannot be restored. Startup fails instead of starting with an empty database. */
final class StartupRestoreException extends IOException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String remedy;

    StartupRestoreException(Path database, IOException cause) {
        super("The database " + database + " does not exist and cannot be restored: " + text(cause) + ".", cause);
        this.remedy = remedy(cause);
    }

    private static String text(IOException cause) {
        if (cause instanceof RemedyException known) {
            return known.message(SettingNames.INSTANCE);
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    private static String remedy(IOException cause) {
        String remedy = "";
        if (cause instanceof RemedyException known) {
            remedy = known.remedy(SettingNames.INSTANCE);
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
