package org.litestream4j.crash;

import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;
import static org.litestream4j.testing.SqliteFixture.text;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;

/**
 * A database with two states to go back to, which differ in all items, and 32 clients that write and read meanwhile. A state is
 * whole if it has exactly the items of its epoch; what a writer adds to the journal is without holes since the last restore.
 */
final class InPlaceLoad {

    static final int WRITERS = 24;
    static final int READERS = 8;

    /** Items of each epoch, from 1 on. */
    private static final int[] ITEMS = {0, 150, 250};

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final ManagedDatabase database;
    private final DataSource source;
    private final int itemSize;
    private final Notes notes;
    private final List<Thread> clients = new ArrayList<>();
    private final AtomicLong committed = new AtomicLong();
    private final AtomicLong read = new AtomicLong();
    private final AtomicLong longestNanos = new AtomicLong();
    private final AtomicInteger restores = new AtomicInteger();
    private volatile boolean stopped;
    private volatile @Nullable Exception failure;

    /** Told what happens; from many threads. */
    interface Notes {
        /** A row was committed by a transaction that began after so many restores had ended. */
        void committed(int writer, long number, int restores) throws IOException;
    }

    /** @param itemSize in bytes; the database has about 200 of them */
    InPlaceLoad(ManagedDatabase database, DataSource source, int itemSize, Notes notes) {
        this.database = database;
        this.source = source;
        this.itemSize = itemSize;
        this.notes = notes;
    }

    /** Makes the database, and brings it to both states; the TXIDs of epoch 1 and 2. */
    List<Txid> create() throws Exception {
        List<Txid> states = new ArrayList<>();
        try (Connection connection = source.getConnection()) {
            execute(
                    connection,
                    "CREATE TABLE IF NOT EXISTS epoch(n INTEGER)",
                    "CREATE TABLE IF NOT EXISTS item(epoch INTEGER, v BLOB)",
                    "CREATE TABLE IF NOT EXISTS journal(writer INTEGER, n INTEGER, PRIMARY KEY(writer, n))");
            for (int epoch = 1; epoch <= 2; epoch++) {
                execute(
                        connection,
                        "BEGIN IMMEDIATE",
                        "DELETE FROM epoch",
                        "DELETE FROM item",
                        "INSERT INTO epoch VALUES (" + epoch + ")",
                        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < " + ITEMS[epoch]
                                + ") INSERT INTO item SELECT " + epoch + ", randomblob(" + itemSize + ") FROM c",
                        "COMMIT");
                database.sync(TIMEOUT);
                states.add(database.status().replicated());
            }
        }
        return states;
    }

    static long epoch(Connection connection) throws SQLException {
        return query(connection, "SELECT n FROM epoch");
    }

    /** What is wrong within one read transaction; empty if nothing is. */
    static String problem(Connection connection) throws SQLException {
        long epoch = epoch(connection);
        String items = text(connection, "SELECT count(*) || ' of ' || min(epoch) || ' to ' || max(epoch) FROM item");
        if (!items.equals(ITEMS[(int) epoch] + " of " + epoch + " to " + epoch)) {
            return "epoch " + epoch + " with items " + items;
        }
        long holes = query(
                connection,
                "SELECT count(*) FROM (SELECT 1 FROM journal GROUP BY writer HAVING max(n) - min(n) + 1 <> count(*))");
        return holes == 0 ? "" : "holes in the rows of " + holes + " writers";
    }

    void begin() {
        for (int i = 0; i < WRITERS; i++) {
            int writer = i;
            clients.add(new Thread(() -> client(connection -> write(connection, writer)), "writer-" + i));
        }
        for (int i = 0; i < READERS; i++) {
            clients.add(new Thread(() -> client(this::read), "reader-" + i));
        }
        clients.forEach(Thread::start);
    }

    private void client(Client client) {
        try (Connection connection = source.getConnection()) {
            execute(connection, "PRAGMA busy_timeout=60000", "PRAGMA synchronous=NORMAL");
            client.run(connection);
        } catch (Exception e) {
            failure = e;
        }
    }

    private interface Client {
        void run(Connection connection) throws Exception;
    }

    private void write(Connection connection, int writer) throws Exception {
        long number = query(connection, "SELECT coalesce(max(n), 0) FROM journal WHERE writer = " + writer);
        while (!stopped) {
            number++;
            int before = restores.get();
            long begun = System.nanoTime();
            String insert = "INSERT INTO journal VALUES (" + writer + ", " + number + ")";
            if (writer % 2 == 0) {
                execute(connection, insert);
            } else {
                execute(connection, "BEGIN IMMEDIATE", insert, "COMMIT");
            }
            longestNanos.accumulateAndGet(System.nanoTime() - begun, Math::max);
            committed.incrementAndGet();
            notes.committed(writer, number, before);
            Thread.sleep(1 + writer % 5);
        }
    }

    private void read(Connection connection) throws Exception {
        while (!stopped) {
            execute(connection, "BEGIN");
            String problem = problem(connection);
            execute(connection, "COMMIT");
            if (!problem.isEmpty()) {
                throw new IllegalStateException("a reader saw " + problem);
            }
            read.incrementAndGet();
            Thread.sleep(5);
        }
    }

    /** One restore in place, to the state of that TXID. */
    InPlaceRestoreResult restore(Txid txid) throws Exception {
        InPlaceRestoreResult result = database.restoreInPlace(
                RestoreOptions.builder().target(RestoreTarget.txid(txid)).build(), TIMEOUT);
        restores.incrementAndGet();
        return result;
    }

    /** Throws what a client has met. */
    void check() throws Exception {
        Exception met = failure;
        if (met != null) {
            throw met;
        }
    }

    void stop() throws Exception {
        stopped = true;
        for (Thread client : clients) {
            client.join();
        }
        check();
    }

    String summary() {
        return restores + " restores in place, " + committed + " commits, " + read + " reads, longest commit "
                + longestNanos.get() / 1_000_000 + " ms";
    }
}
