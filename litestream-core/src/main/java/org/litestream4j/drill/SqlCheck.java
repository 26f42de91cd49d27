package org.litestream4j.drill;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.Redaction;

/**
 * A check that consists of an SQL query.
 *
 * @param query the query, which is also the name of the check
 */
record SqlCheck(String query) implements RestoreDrillCheck {

    @Override
    public void check(Connection connection, Txid txid, Instant timestamp) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            if (!rows.next()) {
                throw new AssertionError("the query returns no row");
            }
            if (rows.getDouble(1) == 0) { // NULL and text without a leading number are 0
                throw new AssertionError("the query returns " + Redaction.printable("" + rows.getString(1)));
            }
        }
    }

    @Override
    public String name() {
        return query;
    }
}
