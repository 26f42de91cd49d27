package org.litestream4j.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.AbstractAssert;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.springframework.util.FileSystemUtils;
import org.sqlite.SQLiteDataSource;

/**
 * Assertions on what a replica restores to. Each one restores the same transaction into a temporary file, and deletes
 * the file.
 */
public final class RestoredDatabaseAssert extends AbstractAssert<RestoredDatabaseAssert, ManagedDatabase> {

    private final Txid txid;

    private RestoredDatabaseAssert(ManagedDatabase actual, Txid txid) {
        super(actual, RestoredDatabaseAssert.class);
        this.txid = txid;
    }

    /** Restores, and keeps the transaction. */
    static RestoredDatabaseAssert restore(ManagedDatabase database, RestoreTarget target) {
        Txid txid = restored(database, target, (file, restored) -> restored);
        return new RestoredDatabaseAssert(database, txid);
    }

    /** Returns the last transaction of the restored database. */
    public Txid txid() {
        return txid;
    }

    /** Verifies that the state after a transaction can be restored. Further assertions are about this state. */
    public RestoredDatabaseAssert restoredAt(Txid target) {
        return restore(actual, RestoreTarget.txid(target));
    }

    /** Verifies that the state of a moment can be restored. Further assertions are about this state. */
    public RestoredDatabaseAssert restoredAt(Instant target) {
        return restore(actual, RestoreTarget.timestamp(target));
    }

    /**
     * Verifies that a table has at least one row with given values.
     *
     * @param columns values by column; null stands for SQL's NULL
     */
    public RestoredDatabaseAssert hasRow(String table, Map<String, ?> columns) {
        if (count(table, columns) == 0) {
            throw failure("%s at %s has no row %s in %s", actual.name(), txid, columns, table);
        }
        return this;
    }

    /** Verifies that a table has no row with given values. */
    public RestoredDatabaseAssert hasNoRow(String table, Map<String, ?> columns) {
        if (count(table, columns) != 0) {
            throw failure("%s at %s has a row %s in %s", actual.name(), txid, columns, table);
        }
        return this;
    }

    /** Verifies the number of rows of a table. */
    public RestoredDatabaseAssert hasRowCount(String table, long expected) {
        long count = count(table, Map.of());
        if (count != expected) {
            throw failure("%s at %s has %s rows in %s, not %s", actual.name(), txid, count, table, expected);
        }
        return this;
    }

    /**
     * Verifies that a query returns at least one row.
     *
     * @param sql with {@code ?} for each parameter
     */
    public RestoredDatabaseAssert hasResult(String sql, Object... parameters) {
        boolean found = query(sql, List.of(parameters), ResultSet::next);
        if (!found) {
            throw failure("%s at %s: no row for %s with %s", actual.name(), txid, sql, List.of(parameters));
        }
        return this;
    }

    private long count(String table, Map<String, ?> columns) {
        StringBuilder sql = new StringBuilder("select count(*) from ").append(quoted(table));
        List<@Nullable Object> values = new ArrayList<>();
        String separator = " where ";
        for (Map.Entry<String, ?> column : columns.entrySet()) {
            sql.append(separator).append(quoted(column.getKey())).append(" is ?");
            values.add(column.getValue());
            separator = " and ";
        }
        return query(sql.toString(), values, rows -> {
            rows.next();
            return rows.getLong(1);
        });
    }

    private static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    private <T> T query(String sql, List<? extends @Nullable Object> parameters, Reader<T> reader) {
        return restored(actual, RestoreTarget.txid(txid), (file, unused) -> {
            SQLiteDataSource dataSource = new SQLiteDataSource();
            dataSource.setUrl("jdbc:sqlite:" + file);
            try (Connection connection = dataSource.getConnection();
                    PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.size(); i++) {
                    statement.setObject(i + 1, parameters.get(i));
                }
                try (ResultSet rows = statement.executeQuery()) {
                    return reader.read(rows);
                }
            } catch (SQLException e) {
                throw new AssertionError(sql + ": " + e.getMessage(), e);
            }
        });
    }

    private static <T> T restored(ManagedDatabase database, RestoreTarget target, User<T> user) {
        try {
            Path folder = Files.createTempDirectory("litestream-restored");
            try {
                Path file = folder.resolve("restored.db");
                RestoreOptions options = RestoreOptions.builder()
                        .target(target)
                        .integrityCheck(IntegrityCheck.FULL)
                        .build();
                return user.use(file, database.restoreTo(file, options).txid());
            } finally {
                FileSystemUtils.deleteRecursively(folder);
            }
        } catch (IOException e) {
            throw new AssertionError(database.name() + " cannot be restored: " + e.getMessage(), e);
        }
    }

    private interface Reader<T> {
        T read(ResultSet rows) throws SQLException;
    }

    private interface User<T> {
        T use(Path file, Txid restored);
    }
}
