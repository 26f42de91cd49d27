package org.litestream4j.crash;

import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.sqlite.SQLiteException;

/**
 * Another program on the same database that knows nothing of us: writes, checkpoints in all modes, VACUUMs, opens and closes,
 * and sometimes ends without closing. Its rows are those of writer {@link #WRITER}.
 */
final class ForeignChild {

    static final int WRITER = 9;

    private static final long LONGEST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private ForeignChild() {}

    public static void main(String[] args) throws Exception {
        Random random = new Random(Long.parseLong(args[1]));
        long end = System.nanoTime() + (long) (Double.parseDouble(args[2]) * 1e9);
        int commits = 0;
        System.out.println("foreign: begins");
        while (isGoingOn(end, commits)) {
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + args[0])) {
                execute(connection, "PRAGMA busy_timeout=200");
                for (int i = random.nextInt(30); i >= 0 && isGoingOn(end, commits); i--) {
                    commits += step(connection, random);
                }
            }
        }
        System.out.println("foreign: commits " + commits);
        if (random.nextBoolean()) {
            DriverManager.getConnection("jdbc:sqlite:" + args[0])
                    .createStatement()
                    .execute("BEGIN");
            Runtime.getRuntime().halt(0); // closes nothing
        }
    }

    /** Where it is crowded, the first commit may come late. */
    private static boolean isGoingOn(long end, int commits) {
        long left = end - System.nanoTime();
        return left > 0 || (commits == 0 && left > -LONGEST_WAIT_NANOS);
    }

    private static int step(Connection connection, Random random) throws SQLException {
        String[] modes = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
        try {
            switch (random.nextInt(12)) {
                case 0, 1, 2 ->
                    execute(connection, "PRAGMA wal_checkpoint(" + modes[random.nextInt(modes.length)] + ")");
                case 3 -> {
                    if (random.nextInt(4) == 0) {
                        execute(connection, "VACUUM");
                    }
                }
                default -> {
                    long last = query(connection, "SELECT coalesce(max(number), 0) FROM t WHERE writer = " + WRITER);
                    CrashChild.insert(connection, WRITER, last + 1);
                    return 1;
                }
            }
        } catch (SQLiteException e) { // busy: another one's turn
            if (query(connection, "SELECT 1") != 1) {
                throw e;
            }
            try {
                execute(connection, "ROLLBACK");
            } catch (SQLException none) {
                return 0; // no transaction
            }
        }
        return 0;
    }
}
