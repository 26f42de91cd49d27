package org.litestream4j.readreplica;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import javax.sql.DataSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.restore.RestoreException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** The readers of {@link ReadReplicaSoakTest}: {@code URL SECONDS FOLDER}. Fails with the first wrong answer. */
public final class ReadReplicaSoakChild {

    private static final int THREADS = 16;

    /** The newest recorded state, and what the accounts are. */
    private static final String STATE = "SELECT s.n, s.accounts, s.total, s.weighted, s.bytes, a.accounts, a.total,"
            + " a.weighted, a.bytes FROM (SELECT * FROM %1$sstate ORDER BY n DESC LIMIT 1) s, (SELECT count(*) AS accounts,"
            + " sum(amount) AS total, sum(id * amount %% 1000003) AS weighted, sum(length(pad)) AS bytes FROM"
            + " %1$saccount) a";

    private final ReadReplica replica;
    private final long end;
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicLongArray verified = new AtomicLongArray(THREADS);
    private final AtomicLong busy = new AtomicLong();
    private final AtomicLong gone = new AtomicLong();
    private final AtomicLong newest = new AtomicLong();

    private ReadReplicaSoakChild(ReadReplica replica, int seconds) {
        this.replica = replica;
        end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    }

    public static void main(String[] args) throws Exception {
        ReadReplicaOptions options = ReadReplicaOptions.builder()
                .pollInterval(Duration.ofMillis(200))
                .readTimeout(Duration.ofSeconds(5))
                .hydrate(true)
                .folder(Path.of(args[2]))
                .build();
        int code;
        try (ReadReplica replica = ReadReplica.open(ReplicaLocation.of(args[0]), options)) {
            code = new ReadReplicaSoakChild(replica, Integer.parseInt(args[1])).run();
        }
        System.exit(code);
    }

    private int run() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            Thread thread = new Thread(() -> read(number));
            thread.start();
            threads.add(thread);
        }
        for (int i = 1; isRunning(); i++) {
            Thread.sleep(500);
            if (i % 20 == 0) {
                ReadReplicaStatus status = replica.status();
                System.out.println(
                        "TXID " + status.txid() + ", lag " + status.lag().toMillis() + " ms, " + status.hydration()
                                + ", verified " + verified + ", problem " + status.problem());
            }
        }
        for (Thread thread : threads) {
            thread.join();
        }
        failures.forEach(Throwable::printStackTrace);
        boolean all = true;
        long sum = 0;
        for (int i = 0; i < THREADS; i++) {
            sum += verified.get(i);
            all &= verified.get(i) > 0;
        }
        System.out.println(sum + " states verified, " + verified + ", newest " + newest + ", " + busy + " times busy, "
                + gone + " times gone, " + replica.status());
        return failures.isEmpty() && all ? 0 : 1;
    }

    private boolean isRunning() {
        return System.nanoTime() < end && failures.isEmpty();
    }

    private void read(int number) {
        Random random = new Random(number);
        while (isRunning()) {
            try {
                switch (number) {
                    case 8, 9 -> rounds(number, replica.dataSource(), 1, "");
                    case 10, 11 -> rounds(number, jdbcUrl(), 200, "");
                    case 12, 13 -> rounds(number, attached(), 200, "r.");
                    case 14, 15 -> past(number, random);
                    default -> rounds(number, replica.dataSource(), 2_000, "");
                }
            } catch (RestoreException | ReplicaFileNotFoundException e) {
                gone.incrementAndGet(); // a moment that retention has deleted
            } catch (IOException e) {
                busy.incrementAndGet();
            } catch (SQLException e) {
                failed(e);
            } catch (RuntimeException | Error e) {
                failures.add(e);
            }
        }
    }

    /** Records an error; outages and retention are expected. */
    private void failed(SQLException e) {
        SQLiteErrorCode code = e instanceof SQLiteException sqlite ? sqlite.getResultCode() : null;
        if (code == SQLiteErrorCode.SQLITE_BUSY || code == SQLiteErrorCode.SQLITE_CANTOPEN) {
            busy.incrementAndGet();
        } else if (code != null && (code.code & 0xFF) == SQLiteErrorCode.SQLITE_IOERR.code) {
            boolean explained =
                    e.getCause() == null || String.valueOf(e.getMessage()).contains("no longer on");
            if (explained) {
                gone.incrementAndGet();
            } else {
                failures.add(e);
            }
        } else {
            failures.add(e);
        }
    }

    @FunctionalInterface
    private interface Opener {
        Connection open() throws SQLException;
    }

    private Opener jdbcUrl() {
        return () -> DriverManager.getConnection("jdbc:sqlite:file:" + replica.name() + "?vfs=litestream&open_mode=1");
    }

    private Opener attached() {
        return () -> {
            Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:");
            boolean done = false;
            try (Statement statement = connection.createStatement()) {
                statement.execute("ATTACH 'file:" + replica.name() + "?vfs=litestream&mode=ro' AS r");
                done = true;
                return connection;
            } finally {
                if (!done) {
                    connection.close();
                }
            }
        };
    }

    private void rounds(int number, DataSource source, int count, String schema) throws SQLException {
        rounds(number, source::getConnection, count, schema);
    }

    /** Reads states one after the other on one connection, with and without transactions. */
    private void rounds(int number, Opener opener, int count, String schema) throws SQLException {
        long last = 0;
        try (Connection connection = opener.open()) {
            if (number % 2 == 0) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("PRAGMA " + schema + "cache_size=20");
                }
            }
            for (int i = 0; i < count && isRunning(); i++) {
                boolean transaction = i % 2 == 1;
                try {
                    connection.setAutoCommit(!transaction);
                    long n = verify(connection, schema);
                    if (transaction && verify(connection, schema) != n) {
                        throw new AssertionError("a transaction read two states");
                    }
                    if (n < last) {
                        throw new AssertionError("after state " + last + ", the connection read state " + n);
                    }
                    last = n;
                    newest.accumulateAndGet(n, Math::max);
                    verified.incrementAndGet(number);
                    if (transaction) {
                        connection.commit();
                    }
                } catch (SQLException e) {
                    failed(e);
                    if (!connection.getAutoCommit()) {
                        try {
                            connection.rollback();
                        } catch (SQLException none) { // by a JDBC URL, SQLite has no transaction any more
                            return;
                        }
                    }
                }
            }
        }
    }

    private void past(int number, Random random) throws IOException, SQLException {
        long txid = replica.status().txid().value() - random.nextInt(4);
        DataSource source = replica.asOf(new Txid(Math.max(1, txid)));
        try (Connection connection = source.getConnection()) {
            long n = verify(connection, "");
            if (verify(connection, "") != n) {
                throw new AssertionError("a moment changed");
            }
            verified.incrementAndGet(number);
        }
    }

    private static long verify(Connection connection, String schema) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(String.format(STATE, schema))) {
            if (!row.next()) {
                throw new AssertionError("no state");
            }
            for (int i = 2; i <= 5; i++) {
                if (row.getLong(i) != row.getLong(i + 4)) {
                    throw new AssertionError("state " + row.getLong(1) + ": " + row.getLong(i + 4) + " instead of "
                            + row.getLong(i) + " in column " + i);
                }
            }
            return row.getLong(1);
        }
    }
}
