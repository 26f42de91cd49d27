package org.litestream4j.internal.vfs;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** VFSs of tests, and databases under names of their own. */
public final class VfsFixture {

    private static final AtomicInteger NAMES = new AtomicInteger();
    private static final Map<String, ReplicaVfs> VFS = new HashMap<>();

    private VfsFixture() {}

    /** Registers a database and returns its JDBC URL. */
    static String register(ReplicaDatabase database) throws VfsUnsupportedException {
        return register(SharedVfs.get(), ReplicaVfs.NAME, database);
    }

    static String register(ReplicaVfs vfs, String vfsName, ReplicaDatabase database) {
        String name = "test-" + NAMES.incrementAndGet();
        if (!vfs.add(name, database)) {
            throw new IllegalStateException(name);
        }
        return "jdbc:sqlite:file:" + name + "?vfs=" + vfsName + "&open_mode=1";
    }

    /** A VFS that does something wrong on purpose. */
    static synchronized ReplicaVfs vfs(String name, boolean isChecked, PageOne pageOne) throws VfsUnsupportedException {
        ReplicaVfs vfs = VFS.get(name);
        if (vfs == null) {
            CheckedCalls calls = isChecked ? CheckedCalls.create() : CheckedCalls.unchecked();
            vfs = ReplicaVfs.register(name, SharedVfs.api(), calls, pageOne);
            VFS.put(name, vfs);
        }
        return vfs;
    }

    public static Connection open(String url) throws SQLException {
        return DriverManager.getConnection(url);
    }

    /** All rows of a query as text. */
    public static String rows(Connection connection, String sql) throws SQLException {
        StringBuilder rows = new StringBuilder();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            int columns = row.getMetaData().getColumnCount();
            while (row.next()) {
                for (int i = 1; i <= columns; i++) {
                    rows.append(i == 1 ? "" : "|").append(row.getString(i));
                }
                rows.append('\n');
            }
        }
        return rows.toString().strip();
    }

    /** A database in WAL mode with a table {@code t(a, b)} of so many rows. */
    public static Connection primary(java.nio.file.Path file, int rows) throws SQLException {
        Connection connection = open("jdbc:sqlite:" + file);
        try (Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)");
            statement.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + rows
                    + ") INSERT INTO t SELECT i, printf('row %d %.*c', i, i % 200, 'x') FROM n");
        }
        return connection;
    }

    public static void execute(Connection connection, String... statements) throws SQLException {
        org.litestream4j.testing.SqliteFixture.execute(connection, statements);
    }
}
