package org.litestream4j;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown if the replication of a database cannot start or continue. The message names the database, the problem and the
 * remedy.
 */
public class LitestreamException extends IOException {

    private static final long serialVersionUID = 1L;

    private final String database;
    private final String problem;
    private final String remedy;

    /**
     * @param database path or name of the database
     * @param problem what is wrong
     * @param remedy what the reader can do about it
     */
    public LitestreamException(String database, String problem, String remedy, @Nullable Throwable cause) {
        super(database + ": " + problem + (remedy.isEmpty() ? "" : "; " + remedy), cause);
        this.database = database;
        this.problem = problem;
        this.remedy = remedy;
    }

    public String database() {
        return database;
    }

    public String problem() {
        return problem;
    }

    public String remedy() {
        return remedy;
    }
}
