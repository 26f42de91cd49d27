package org.litestream4j.testing;

import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** SQL at random from a seed: everything that makes a database write, grow, shrink and change its mind. */
public final class RandomWorkload {

    private static final int MAX_TABLES = 6;

    private final Random random;
    private final int largestBlob;
    private int created;

    /** @param largestBlob in bytes */
    public RandomWorkload(Random random, int largestBlob) {
        this.random = random;
        this.largestBlob = largestBlob;
    }

    /** One step, outside of any transaction before and after it. */
    public void step(Connection connection) throws SQLException {
        switch (random.nextInt(24)) {
            case 0 -> execute(connection, "VACUUM");
            case 1 -> execute(connection, "PRAGMA incremental_vacuum(" + random.nextInt(20) + ")");
            case 2 -> spilled(connection, true);
            case 3 -> spilled(connection, false);
            case 4, 5 -> savepoints(connection);
            case 6, 7 -> transaction(connection, false);
            case 8 -> checkpoint(connection);
            default -> transaction(connection, true);
        }
    }

    private void transaction(Connection connection, boolean commit) throws SQLException {
        execute(
                connection,
                "BEGIN IMMEDIATE"); // reading first would meet the rounds that hold the lock, with so small a limit
        int count = 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            change(connection, 1 + random.nextInt(20));
        }
        execute(connection, commit ? "COMMIT" : "ROLLBACK");
    }

    /** Pages go to the WAL before the end of the transaction, some of them more than once. */
    private void spilled(Connection connection, boolean commit) throws SQLException {
        execute(connection, "PRAGMA cache_size=4", "PRAGMA cache_spill=1", "BEGIN IMMEDIATE");
        for (int i = 0; i < 4; i++) {
            change(connection, 60);
        }
        execute(connection, commit ? "COMMIT" : "ROLLBACK", "PRAGMA cache_size=-2000");
    }

    private void savepoints(Connection connection) throws SQLException {
        execute(connection, "BEGIN IMMEDIATE");
        change(connection, 10);
        execute(connection, "SAVEPOINT a");
        change(connection, 10);
        execute(connection, "SAVEPOINT b");
        change(connection, 10);
        execute(connection, random.nextBoolean() ? "ROLLBACK TO b" : "RELEASE b");
        change(connection, 5);
        execute(connection, random.nextBoolean() ? "ROLLBACK TO a" : "RELEASE a", "COMMIT");
    }

    private void checkpoint(Connection connection) throws SQLException {
        String[] modes = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
        execute(
                connection,
                "PRAGMA busy_timeout=50",
                "PRAGMA wal_checkpoint(" + modes[random.nextInt(modes.length)] + ")",
                "PRAGMA busy_timeout=10000");
    }

    private void change(Connection connection, int rows) throws SQLException {
        List<String> tables = tables(connection);
        if (tables.size() < 2 || (tables.size() < MAX_TABLES && random.nextInt(12) == 0)) {
            String name = "t" + created++ + "_" + Integer.toHexString(random.nextInt());
            execute(connection, "CREATE TABLE " + name + "(id INTEGER PRIMARY KEY, k INTEGER, v BLOB)");
            if (random.nextBoolean()) {
                execute(connection, "CREATE INDEX i" + name + " ON " + name + "(k)");
            }
            insert(connection, name, rows);
            return;
        }
        String table = tables.get(random.nextInt(tables.size()));
        switch (random.nextInt(12)) {
            case 0 -> execute(connection, "DROP TABLE " + table);
            case 1 -> execute(connection, "DELETE FROM " + table);
            case 2 -> execute(connection, "DELETE FROM " + table + " WHERE id % " + (2 + random.nextInt(4)) + " = 0");
            case 3 -> execute(connection, "ALTER TABLE " + table + " ADD COLUMN c" + random.nextInt(1 << 30));
            case 4 -> execute(connection, "UPDATE " + table + " SET k = k + 1 WHERE id % 3 = 0");
            case 5 -> update(connection, table);
            default -> insert(connection, table, rows);
        }
    }

    private void insert(Connection connection, String table, int rows) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + table + "(k, v) VALUES (?, ?)")) {
            for (int i = 0; i < rows; i++) {
                insert.setInt(1, random.nextInt(1000));
                insert.setBytes(2, blob());
                insert.executeUpdate();
            }
        }
    }

    private void update(Connection connection, String table) throws SQLException {
        long last = query(connection, "SELECT coalesce(max(id), 0) FROM " + table);
        try (PreparedStatement update = connection.prepareStatement("UPDATE " + table + " SET v = ? WHERE id = ?")) {
            for (int i = 0; i < 5; i++) {
                update.setBytes(1, blob());
                update.setLong(2, 1 + (last == 0 ? 0 : random.nextInt((int) last)));
                update.executeUpdate();
            }
        }
    }

    private byte[] blob() {
        int size =
                switch (random.nextInt(30)) {
                    case 0 -> random.nextInt(largestBlob);
                    case 1, 2, 3 -> random.nextInt(5_000);
                    default -> random.nextInt(200);
                };
        byte[] bytes = new byte[size];
        if (random.nextInt(3) > 0) { // else zeros
            random.nextBytes(bytes);
        }
        return bytes;
    }

    private static List<String> tables(Connection connection) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't%' ORDER BY name")) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }
}
