package org.litestream4j.internal.capture;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.litestream4j.error.RemedyException;

/** Thrown if a database cannot be captured. Contains the file, the problem and the remedy. */
public class CaptureException extends RemedyException {

    private static final long serialVersionUID = 1L;

    CaptureException(Path database, String problem, String remedy, @Nullable Throwable cause) {
        super(database.toString(), problem, remedy, cause);
    }

    /** Returns the path of the database. */
    public String database() {
        return subject();
    }
}
