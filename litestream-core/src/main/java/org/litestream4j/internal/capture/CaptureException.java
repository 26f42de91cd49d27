package org.litestream4j.internal.capture;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.litestream4j.error.RemedyException;

/** Thrown if a database cannot be captured. Contains the file, the problem and the remedy. */
public class CaptureException extends RemedyException {

    private static final long serialVersionUID = 1L;

    private final boolean refused;

    CaptureException(Path database, String problem, String remedy, @Nullable Throwable cause) {
        this(database, problem, remedy, cause, false);
    }

    private CaptureException(Path database, String problem, String remedy, @Nullable Throwable cause, boolean refused) {
        super(database.toString(), problem, remedy, cause);
        this.refused = refused;
    }

    /** Returns an exception for a problem that lasts until an operator changes something. */
    static CaptureException refusal(Path database, String problem, String remedy, @Nullable Throwable cause) {
        return new CaptureException(database, problem, remedy, cause, true);
    }

    /** Returns whether waiting does not help. */
    public boolean isRefused() {
        return refused;
    }

    /** Returns the path of the database. */
    public String database() {
        return subject();
    }
}
