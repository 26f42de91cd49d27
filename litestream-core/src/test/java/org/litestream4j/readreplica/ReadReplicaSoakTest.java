package org.litestream4j.readreplica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.nats.NatsServer;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.SqliteFixture;

/**
 * 16 threads of a process with a heap of 64 MB query a read replica while the primary writes, compacts and deletes old files,
 * and while the store is stopped, and killed and started again. {@code -Dreadreplica.soak.seconds} is the duration, 600 by
 * default; {@code -Dreadreplica.soak.seed} repeats the transactions of the primary.
 */
@Tag("soak")
class ReadReplicaSoakTest {

    @TempDir
    Path folder;

    @Test
    void eachQuery_readsACommittedState_andNoConnectionGoesBack() throws Exception {
        int seconds = Integer.getInteger("readreplica.soak.seconds", 600);
        long seed = Long.getLong("readreplica.soak.seed", new Random().nextLong());
        System.out.println("-Dreadreplica.soak.seed=" + seed);
        try (NatsServer server = NatsServer.start(folder.resolve("nats"));
                Litestream litestream = Litestream.builder().build()) {
            String url = "nats://" + server.address() + "/soak/app";
            Path path = folder.resolve("app.db");
            ManagedDatabase database = litestream.register(
                    DatabaseConfig.builder(path, new ReplicaLocation(url, Map.of("create-bucket", "true")))
                            .syncInterval(Duration.ofMillis(50))
                            .level0Retention(Duration.ofSeconds(2))
                            .levels(List.of(Duration.ofSeconds(1), Duration.ofSeconds(5)))
                            .snapshotInterval(Duration.ofSeconds(10))
                            .snapshotRetention(Duration.ofSeconds(20))
                            .build());
            try (Connection writer =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                Primary primary = new Primary(writer, new Random(seed));
                database.sync(Duration.ofSeconds(30));
                try (ChildProcess readers = ChildProcess.start(
                        folder.resolve("readers.out"),
                        Map.of(),
                        List.of("-Xmx64m", "-Djava.io.tmpdir=" + folder),
                        System.getProperty("java.class.path"),
                        ReadReplicaSoakChild.class,
                        url,
                        seconds,
                        folder.resolve("cache"))) {
                    AtomicReference<Throwable> failure = new AtomicReference<>();
                    Thread writing = new Thread(() -> primary.run(readers, failure));
                    writing.start();
                    while (readers.isAlive()) {
                        if (readers.awaitExit(15)) {
                            break;
                        }
                        server.suspend(Duration.ofSeconds(3));
                        if (readers.awaitExit(15)) {
                            break;
                        }
                        server.kill();
                        boolean ended = readers.awaitExit(6);
                        server.start();
                        if (ended) {
                            break;
                        }
                    }
                    writing.join(TimeUnit.SECONDS.toMillis(30));
                    System.out.println(readers.output());
                    System.out.println(primary.commits + " commits");
                    assertThat(failure).hasNullValue();
                    assertThat(readers.exitCode()).isZero();
                }
            }
        }
    }

    /** Changes accounts, and records with each change what all of them together look like. */
    private static final class Primary {

        private final Connection writer;
        private final Random random;
        private volatile int commits;

        Primary(Connection writer, Random random) throws SQLException {
            this.writer = writer;
            this.random = random;
            execute(
                    writer,
                    "CREATE TABLE account(id INTEGER PRIMARY KEY, amount INT, pad BLOB)",
                    "CREATE INDEX by_amount ON account(amount)",
                    "CREATE TABLE state(n INTEGER PRIMARY KEY, accounts INT, total INT, weighted INT, bytes INT)");
            commit("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO account"
                    + " SELECT i, i * 31 % 1009, randomblob(100 + i % 200) FROM n");
        }

        void run(ChildProcess readers, AtomicReference<Throwable> failure) {
            try {
                while (readers.isAlive()) {
                    change();
                    Thread.sleep(random.nextInt(60));
                }
            } catch (SQLException | InterruptedException | RuntimeException e) {
                failure.set(e);
            }
        }

        private void change() throws SQLException {
            int from = random.nextInt(20_000);
            switch (random.nextInt(40)) {
                case 0 -> commit("DELETE FROM account WHERE id BETWEEN " + from + " AND " + (from + 4_000));
                case 1, 2 ->
                    commit("INSERT OR IGNORE INTO account SELECT value, value % 777, randomblob(150) FROM"
                            + " generate_series(" + from + ", " + (from + 3_000) + ")");
                case 3 -> commit("UPDATE account SET amount = amount + 1 WHERE id % 3 = 0");
                case 4 -> {
                    if (random.nextInt(8) == 0) {
                        execute(writer, "VACUUM");
                    }
                }
                default ->
                    commit("UPDATE account SET amount = " + random.nextInt(1_009) + ", pad = randomblob("
                            + random.nextInt(400) + ") WHERE id IN (" + from + ", " + random.nextInt(20_000) + ", "
                            + random.nextInt(20_000) + ")");
            }
        }

        private void commit(String sql) throws SQLException {
            String rows = sql.replaceFirst(
                    "generate_series\\((\\d+), (\\d+)\\)",
                    "(WITH RECURSIVE n(value) AS (SELECT $1 UNION ALL SELECT value + 1 FROM n WHERE value < $2)"
                            + " SELECT value FROM n)");
            execute(
                    writer,
                    "BEGIN IMMEDIATE",
                    rows,
                    "INSERT INTO state SELECT coalesce((SELECT max(n) FROM state), 0) + 1, count(*), sum(amount),"
                            + " sum(id * amount % 1000003), sum(length(pad)) FROM account",
                    "DELETE FROM state WHERE n < (SELECT max(n) FROM state) - 50",
                    "COMMIT");
            commits++;
        }
    }
}
