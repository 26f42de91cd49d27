package org.litestream4j.testing;

import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.concurrent.TimeUnit;

/**
 * Another process that would take the WAL away if nobody else held the database: for each line of its input it asks for the
 * lock that SQLite takes before it deletes the WAL, opens the database, checkpoints with TRUNCATE, closes, and tells whether
 * the lock was refused and the WAL is still there. (SQLite from 3.51 on has a second look before it deletes, older ones that
 * share a database with us have not: so the lock itself is asked for.)
 */
public final class LockProbe implements AutoCloseable {

    /** Bytes on which each open connection holds a shared lock; sqlite.org, os_unix.c. */
    private static final long SHARED_FIRST = 0x4000_0002;

    private static final long SHARED_SIZE = 510;

    private final ChildProcess child;
    private final Path output;
    private int asked;

    public LockProbe(Path folder) throws Exception {
        output = folder.resolve("probe.out");
        child = ChildProcess.start(output, LockProbe.class);
    }

    /** Whether the lock was refused and the WAL survived. */
    public boolean isHeldOff(Path database) throws Exception {
        asked++;
        child.tell(database.toString());
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (System.nanoTime() < end) {
            for (String line : Files.readAllLines(output)) {
                if (line.startsWith("probe " + asked + " ")) {
                    return line.endsWith("true");
                }
            }
            Thread.sleep(5);
        }
        throw new AssertionError(child.output());
    }

    @Override
    public void close() {
        child.close();
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        int count = 0;
        for (String database = in.readLine(); database != null; database = in.readLine()) {
            count++;
            boolean refused = isLockRefused(Path.of(database));
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
                execute(
                        connection,
                        "PRAGMA busy_timeout=0",
                        "SELECT count(*) FROM sqlite_schema",
                        "PRAGMA wal_checkpoint(TRUNCATE)");
            }
            System.out.println("probe " + count + " " + (refused && Files.exists(Path.of(database + "-wal"))));
        }
    }

    private static boolean isLockRefused(Path database) throws IOException {
        try (FileChannel channel = FileChannel.open(database, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock(SHARED_FIRST, SHARED_SIZE, false)) {
            return lock == null;
        }
    }
}
