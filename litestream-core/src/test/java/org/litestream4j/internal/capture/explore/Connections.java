package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The connections of one process to one database: a writer, and a reader while one is asked for. Each committed state is
 * reported as the hash of all pages, as SQLite shows them.
 */
final class Connections implements Party {

    static final String BUSY = "busy";
    static final String OK = "ok";

    /** Tables of one row and one page each; commits of one page take turns, so that none hides that another is missing. */
    static final List<String> TABLES = List.of("t1", "t2", "t3");

    /** Bytes of the database file on which every connection holds a shared lock. */
    private static final long SHARED_FIRST = 0x40000002L;

    private static final long SHARED_SIZE = 510;

    private @Nullable String path;
    private @Nullable Connection writer;
    private @Nullable Connection reader;
    private @Nullable FileChannel guard;

    @Override
    public String obey(String command) throws IOException {
        String[] words = command.split(" ", -1);
        try {
            switch (words[0]) {
                case "open":
                    return open(words[1]);
                case "write":
                    return write(words[1], Integer.parseInt(words[2]));
                case "begin-read":
                    return beginRead();
                case "end-read":
                    reader.close();
                    reader = null;
                    return OK;
                case "begin-write":
                    return beginWrite(Integer.parseInt(words[1]));
                case "end-write":
                    run(writer, "COMMIT");
                    return hash(writer);
                case "phantom":
                    return phantom(Integer.parseInt(words[1]));
                case "checkpoint":
                    return checkpoint(writer, words[1]);
                case "hash":
                    return hash(writer);
                case "peek":
                    return peek(words[1]);
                case "counts":
                    path = words[1];
                    try (Connection connection = connect()) {
                        number(connection, "SELECT count(*) FROM t1");
                        return checkpoint(connection, "NOOP");
                    }
                case "close":
                    close();
                    return OK;
                case "guard":
                    guard = FileChannel.open(Path.of(words[1]), StandardOpenOption.READ);
                    guard.lock(SHARED_FIRST, SHARED_SIZE, true);
                    return OK;
                case "unguard":
                    guard.close();
                    guard = null;
                    return OK;
                default:
                    throw new IllegalArgumentException(command);
            }
        } catch (SQLException e) {
            if (isBusy(e)) {
                return BUSY;
            }
            throw new IOException(command + ": " + e.getMessage(), e);
        }
    }

    private String open(String database) throws SQLException {
        path = database;
        Connection opened = connect();
        try {
            number(opened, "SELECT count(*) FROM t1"); // holds the shared lock from here on
        } catch (SQLException e) {
            opened.close();
            throw e;
        }
        writer = opened;
        return OK;
    }

    /** The hashes of the states that were committed, in order; fewer than the kind has if the lock was taken. */
    private String write(String kind, int number) throws SQLException {
        List<String> committed = new ArrayList<>();
        try {
            switch (kind) {
                case "one" -> update(writer, TABLES.get(number % TABLES.size()), number);
                case "back" -> {
                    run(writer, "BEGIN IMMEDIATE");
                    update(writer, TABLES.get(number % TABLES.size()), number);
                    fill(
                            writer,
                            TABLES.get((number + 2) % TABLES.size()),
                            "x".repeat(300)); // of the last commit of one page
                    run(writer, "COMMIT");
                }
                case "many" -> {
                    run(writer, "BEGIN IMMEDIATE");
                    updateAll(writer, number);
                    run(writer, "INSERT INTO g (v) VALUES ('" + filled(number, 1200) + "')");
                    run(writer, "COMMIT");
                }
                case "shrink" -> {
                    run(writer, "BEGIN IMMEDIATE");
                    update(writer, TABLES.get(number % TABLES.size()), number);
                    run(writer, "DELETE FROM g");
                    run(writer, "COMMIT");
                    committed.add(hash(writer));
                    run(writer, "VACUUM");
                }
                default -> throw new IllegalArgumentException(kind);
            }
            committed.add(hash(writer));
        } catch (SQLException e) {
            if (!isBusy(e)) {
                throw e;
            }
        }
        return committed.isEmpty() ? BUSY : String.join(" ", committed);
    }

    /** Returns what SQLite counts at that moment, which decides how far checkpoints may go. */
    private String beginRead() throws SQLException {
        Connection opened = connect();
        boolean begun = false;
        try {
            number(opened, "SELECT count(*) FROM t1");
            String counts = checkpoint(opened, "NOOP");
            run(opened, "BEGIN");
            number(opened, "SELECT count(*) FROM t1");
            begun = true;
            reader = opened;
            return counts;
        } finally {
            if (!begun) {
                opened.close();
            }
        }
    }

    /** Leaves a transaction open some of whose frames are in the WAL. */
    private String beginWrite(int number) throws SQLException {
        run(writer, "PRAGMA cache_size=1");
        run(writer, "PRAGMA cache_spill=1");
        run(writer, "BEGIN IMMEDIATE");
        updateAll(writer, number);
        return OK;
    }

    /**
     * Leaves frames of a transaction in the WAL that SQLite does not count.
     *
     * @return how many frames it counts, and the size of the database in pages
     */
    private String phantom(int number) throws SQLException {
        try (Connection failing = connect()) {
            run(failing, "PRAGMA cache_size=1");
            run(failing, "PRAGMA cache_spill=1");
            run(failing, "BEGIN IMMEDIATE");
            updateAll(failing, number);
            run(failing, "ROLLBACK");
            try (Statement statement = failing.createStatement();
                    ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(NOOP)")) {
                row.next();
                return row.getLong(2) + " " + number(failing, "PRAGMA page_count");
            }
        }
    }

    private static String checkpoint(Connection connection, String mode) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(" + mode + ")")) {
            row.next();
            return row.getInt(1) + " " + row.getLong(2) + " " + row.getLong(3);
        }
    }

    /** The hash of the database's content, with a connection for the purpose; somebody else has it open. */
    private String peek(String database) throws SQLException {
        path = database;
        try (Connection connection = connect()) {
            return hash(connection);
        }
    }

    void close() throws SQLException {
        if (reader != null) {
            reader.close();
        }
        reader = null;
        if (writer != null) {
            writer.close();
        }
        writer = null;
    }

    private Connection connect() throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(0);
        Connection connection = config.createConnection("jdbc:sqlite:" + path);
        run(connection, "PRAGMA wal_autocheckpoint=0");
        return connection;
    }

    private static void updateAll(Connection connection, int number) throws SQLException {
        for (String table : TABLES) {
            update(connection, table, number);
        }
    }

    private static void update(Connection connection, String table, int number) throws SQLException {
        fill(connection, table, filled(number, 300));
    }

    private static void fill(Connection connection, String table, String text) throws SQLException {
        run(connection, "UPDATE " + table + " SET v = '" + text + "'");
    }

    private static String filled(int number, int length) {
        String digits = Integer.toString(number);
        return "x".repeat(length - digits.length()) + digits;
    }

    private static String hash(Connection connection) throws SQLException {
        return Pages.hash(connection.unwrap(SQLiteConnection.class).serialize("main"));
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static boolean isBusy(SQLException e) {
        return e instanceof SQLiteException sqlite
                && (sqlite.getResultCode().code & 0xff) == SQLiteErrorCode.SQLITE_BUSY.code;
    }
}
