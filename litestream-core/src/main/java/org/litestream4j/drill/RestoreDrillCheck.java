package org.litestream4j.drill;

import java.sql.Connection;
import java.time.Instant;
import org.litestream4j.ltx.Txid;

/**
 * An assertion of the user about a restored database, for example that a table is not empty. Called once for each
 * restored state, on the thread of the drill.
 */
@FunctionalInterface
public interface RestoreDrillCheck {

    /**
     * Checks a restored state. Any exception or {@link AssertionError} makes the drill fail with its message.
     *
     * @param connection read-only connection to the restored database; closed by the drill, which also ends statements
     *     that exceed its timeout
     * @param txid TXID of the state
     * @param timestamp time of its last commit
     */
    void check(Connection connection, Txid txid, Instant timestamp) throws Exception;

    /** Returns whether the check applies to a database; by default, it applies to each. */
    default boolean appliesTo(String database) {
        return true;
    }

    /** Returns the name of the check for the report. */
    default String name() {
        return getClass().getSimpleName();
    }

    /**
     * Returns a check that runs an SQL query. It passes if the first column of the first row is true for SQLite: a number
     * other than 0. For a past state, it is omitted if that state does not have the tables or columns of the query.
     */
    static RestoreDrillCheck sql(String query) {
        return new SqlCheck(query);
    }
}
