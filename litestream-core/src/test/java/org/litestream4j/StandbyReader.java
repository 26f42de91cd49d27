package org.litestream4j;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Reads a standby again and again: all rows of {@code t} must have one version in table and index, and versions only grow. A line
 * of input ends it; it tells what it saw.
 */
final class StandbyReader {

    private StandbyReader() {}

    /** Database; {@code hold} as second argument: holds one read transaction instead. */
    public static void main(String[] args) throws Exception {
        if (args.length > 1) {
            hold(args[0]);
            return;
        }
        AtomicBoolean ended = new AtomicBoolean();
        Thread input = new Thread(() -> {
            try {
                ended.set(System.in.read() >= -1);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        input.setDaemon(true);
        input.start();
        long reads = 0;
        long states = 0;
        long last = 0;
        System.out.println("reading");
        while (!ended.get()) {
            if (!Files.exists(Path.of(args[0]))) {
                Thread.sleep(5);
                continue;
            }
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + args[0])) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("PRAGMA busy_timeout=20000");
                }
                for (int i = 0; i < 50 && !ended.get(); i++) {
                    long version = version(connection, i == 49);
                    if (version < last) {
                        System.out.println("WRONG: back from " + last + " to " + version);
                    }
                    states += version > last ? 1 : 0;
                    last = version;
                    reads++;
                }
            }
        }
        System.out.println("reads " + reads + " states " + states + " last " + last);
    }

    private static long version(Connection connection, boolean whole) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            long version;
            try (ResultSet row =
                    statement.executeQuery("SELECT min(v), max(v), count(*), (SELECT min(v) FROM t INDEXED BY i"
                            + " WHERE v > 0), (SELECT n FROM state) FROM t NOT INDEXED")) {
                row.next();
                version = row.getLong(1);
                if (row.getLong(2) != version || row.getLong(4) != version || row.getLong(5) != row.getLong(3)) {
                    System.out.println("WRONG: mixed " + version + " " + row.getLong(2) + " " + row.getLong(3) + " "
                            + row.getLong(4) + " " + row.getLong(5));
                }
            }
            if (whole) {
                try (ResultSet row = statement.executeQuery("PRAGMA integrity_check")) {
                    row.next();
                    if (!row.getString(1).equals("ok")) {
                        System.out.println("WRONG: " + row.getString(1));
                    }
                }
            }
            return version;
        } catch (SQLException e) {
            System.out.println("WRONG: " + e);
            throw e;
        }
    }

    private static void hold(String database) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            connection.setAutoCommit(false);
            version(connection, false);
            System.out.println("holding");
            System.in.read();
            connection.rollback();
        }
        System.out.println("let go");
    }
}
