package org.litestream4j.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;
import static org.litestream4j.testing.SqliteFixture.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * A database whose rows are its own history. Each commit appends one row, which names the attempt that wrote it. So every state
 * that SQLite ever counted as committed is a beginning of the newest state; any other state was never committed.
 */
public final class History {

    private History() {}

    public static void create(Connection connection) throws SQLException {
        execute(
                connection,
                "PRAGMA journal_mode=WAL",
                "CREATE TABLE t(n INTEGER PRIMARY KEY, attempt TEXT, v BLOB)",
                "CREATE TABLE total(n INTEGER)",
                "INSERT INTO total VALUES (0)");
    }

    /** Appends a row in one transaction. Rolls the transaction back if a statement fails. */
    public static void append(Connection connection, String attempt) throws SQLException {
        execute(connection, "BEGIN IMMEDIATE");
        try {
            execute(
                    connection,
                    "INSERT INTO t SELECT n + 1, '" + attempt + "', randomblob(n * 900 % 7000) FROM total",
                    "UPDATE total SET n = n + 1",
                    "COMMIT");
        } catch (SQLException e) {
            try {
                execute(connection, "ROLLBACK");
            } catch (SQLException none) {
                e.addSuppressed(none); // SQLite has rolled back already
            }
            throw e;
        }
    }

    /** Returns the attempts, in order. Checks that the database is sound. */
    public static List<String> of(Connection connection) throws SQLException {
        assertThat(text(connection, "PRAGMA integrity_check")).isEqualTo("ok");
        List<String> attempts = new ArrayList<>();
        if (query(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'total'") == 0) {
            return attempts;
        }
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT n, attempt FROM t ORDER BY n")) {
            while (rows.next()) {
                attempts.add(rows.getString(2));
                assertThat(rows.getLong(1)).as("row of %s", rows.getString(2)).isEqualTo(attempts.size());
            }
        }
        assertThat(query(connection, "SELECT coalesce(sum(n), 0) FROM total"))
                .as("counted, of %s", attempts)
                .isEqualTo(attempts.size());
        return attempts;
    }

    /**
     * Returns the history that the level-0 files of a replica lead to, at each transaction.
     *
     * @param scratch file that is overwritten with each state
     */
    public static Map<Txid, List<String>> ofReplica(Path replica, Path scratch) throws IOException, SQLException {
        Map<Txid, List<String>> states = new TreeMap<>();
        PagesOfReplica pages = new PagesOfReplica(replica);
        if (pages.applyTo(new Txid(1))) {
            states.put(pages.txid(), of(pages, scratch));
        }
        for (LtxFileName name : SqliteFixture.level0(replica)) {
            if (name.max().isAfter(pages.txid())) {
                pages.applyTo(name.max());
                states.put(pages.txid(), of(pages, scratch));
            }
        }
        return states;
    }

    private static List<String> of(PagesOfReplica pages, Path scratch) throws IOException, SQLException {
        Files.deleteIfExists(scratch);
        pages.writeTo(scratch);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:file:" + scratch + "?immutable=1")) {
            return of(connection);
        } catch (SQLException | AssertionError e) {
            throw new AssertionError("TXID " + pages.txid() + " restores to no sound database: " + e.getMessage(), e);
        }
    }

    /** Returns whether the later history begins with the earlier one. */
    public static boolean isBeginning(List<String> earlier, List<String> later) {
        return earlier.size() <= later.size()
                && later.subList(0, earlier.size()).equals(earlier);
    }
}
