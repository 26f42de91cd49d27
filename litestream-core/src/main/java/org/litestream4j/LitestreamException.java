package org.litestream4j;

import org.jspecify.annotations.Nullable;
import org.litestream4j.error.RemedyException;

/**
 * Thrown if the replication of a database cannot start or continue. The message names the database, the problem and the
 * remedy.
 */
public class LitestreamException extends RemedyException {

    private static final long serialVersionUID = 1L;

    /**
     * @param database path or name of the database
     * @param problem what is wrong
     * @param remedy what the reader can do about it
     */
    public LitestreamException(String database, String problem, String remedy, @Nullable Throwable cause) {
        super(database, problem, remedy, cause);
    }

    public String database() {
        return subject();
    }
}
