package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Thrown if a database cannot be captured. Contains the file, the problem and the remedy. */
public class CaptureException extends IOException {

    private static final long serialVersionUID = 1L;

    private final transient Path database;
    private final String problem;
    private final String remedy;

    CaptureException(Path database, String problem, String remedy, @Nullable Throwable cause) {
        super(database + ": " + problem + (remedy.isEmpty() ? "" : "; " + remedy), cause);
        this.database = database;
        this.problem = problem;
        this.remedy = remedy;
    }

    public Path database() {
        return database;
    }

    public String problem() {
        return problem;
    }

    /** Returns the action to take; empty if none is needed but to wait. */
    public String remedy() {
        return remedy;
    }
}
