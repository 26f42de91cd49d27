package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteException;

/** A commit that waits for the replica returns when it is there, and holds up nobody. */
class DurabilityTest extends EngineFixture {

    private static final Duration SHORT = Duration.ofMillis(300);

    private Litestream litestream;
    private ManagedDatabase database;
    private GatedReplicaProvider.Control gate;

    @AfterEach
    void end() {
        gate.open();
        gate.away = false;
        litestream.close();
    }

    private void begin(Durability durability, Duration timeout, Duration syncInterval) throws Exception {
        create("CREATE TABLE t(x)");
        gate = GatedReplicaProvider.control(replica);
        litestream = litestream();
        database = litestream.register(DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .durability(durability)
                .durabilityTimeout(timeout)
                .syncInterval(syncInterval)
                .levels(List.of(NEVER)) // a merge would be one more upload
                .snapshotInterval(NEVER)
                .build());
        database.sync(TIMEOUT);
    }

    private void beginReplicated(Duration timeout) throws Exception {
        begin(Durability.REPLICATED, timeout, Duration.ofMillis(10));
    }

    private Connection open(TransactionMode mode) throws SQLException {
        SQLiteDataSource source = SqliteFixture.dataSource(path);
        source.setTransactionMode(mode.getValue());
        return database.wrap(source).getConnection();
    }

    /** The ways in which a transaction can end with a commit. */
    private enum Way {
        STATEMENT {
            @Override
            void commit(Connection connection) throws SQLException {
                try (Statement statement = connection.createStatement()) {
                    assertThat(statement.executeUpdate("INSERT INTO t VALUES (1)"))
                            .isEqualTo(1);
                }
            }
        },
        PREPARED_STATEMENT {
            @Override
            void commit(Connection connection) throws SQLException {
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?)")) {
                    insert.setInt(1, 1);
                    insert.execute();
                }
            }
        },
        BATCH {
            @Override
            void commit(Connection connection) throws SQLException {
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?)")) {
                    for (int i = 0; i < 3; i++) {
                        insert.setInt(1, i);
                        insert.addBatch();
                    }
                    assertThat(insert.executeBatch()).containsOnly(1);
                }
            }
        },
        RETURNING {
            @Override
            void commit(Connection connection) throws SQLException {
                try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (7) RETURNING x");
                        ResultSet rows = insert.executeQuery()) {
                    assertThat(rows.getStatement()).isEqualTo(insert);
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getInt(1)).isEqualTo(7);
                    assertThat(rows.getMetaData().getColumnCount()).isEqualTo(1);
                    assertThat(rows.next()).isFalse();
                }
            }
        },
        TRANSACTION {
            @Override
            void commit(Connection connection) throws SQLException {
                connection.setAutoCommit(false);
                execute(connection, "INSERT INTO t VALUES (1)");
                connection.commit();
            }
        },
        END_OF_TRANSACTION {
            @Override
            void commit(Connection connection) throws SQLException {
                connection.setAutoCommit(false);
                execute(connection, "INSERT INTO t VALUES (1)");
                connection.setAutoCommit(true);
            }
        },
        SQL {
            @Override
            void commit(Connection connection) throws SQLException {
                execute(connection, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "COMMIT");
            }
        },
        SCHEMA {
            @Override
            void commit(Connection connection) throws SQLException {
                connection.setAutoCommit(false);
                execute(connection, "CREATE TABLE other(x)");
                connection.commit();
            }
        };

        abstract void commit(Connection connection) throws SQLException;
    }

    @ParameterizedTest
    @EnumSource
    void commit_returnsWhenItIsOnTheReplica(Way way) throws Exception {
        commit_returnsWhenItIsOnTheReplica(way, TransactionMode.DEFERRED);
    }

    @ParameterizedTest
    @EnumSource
    void commitOfImmediateTransaction_returnsWhenItIsOnTheReplica_withoutTheWriteLock(Way way) throws Exception {
        commit_returnsWhenItIsOnTheReplica(way, TransactionMode.IMMEDIATE);
    }

    private void commit_returnsWhenItIsOnTheReplica(Way way, TransactionMode mode) throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(mode)) {
            if (way == Way.SCHEMA) { // one that has seen the schema
                connection.setAutoCommit(false);
                execute(connection, "INSERT INTO t VALUES (0)");
                connection.commit();
                connection.setAutoCommit(true);
            }
            int puts = gate.puts.get();
            Txid before = database.status().replicated();
            gate.shut();
            CompletableFuture<Txid> commit = CompletableFuture.supplyAsync(() -> {
                try {
                    way.commit(connection);
                    return database.status().replicated();
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            await().atMost(TIMEOUT).until(() -> gate.puts.get() > puts);
            try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + path + "?busy_timeout=0")) {
                execute(other, "PRAGMA wal_autocheckpoint=0", "INSERT INTO t VALUES (2)");
            }
            assertThat(commit).isNotDone();
            gate.open();
            assertThat(commit.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS)).isGreaterThan(before);
            assertThat(database.statistics().commitWaits().count()).isPositive();
        }
    }

    @Test
    void whatChangesNothing_doesNotWait() throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection plain = plain();
                Connection deferred = open(TransactionMode.DEFERRED);
                Connection immediate = open(TransactionMode.IMMEDIATE)) {
            immediate.setAutoCommit(false);
            execute(immediate, "CREATE TABLE other(x)", "INSERT INTO other VALUES (1)");
            immediate.commit();
            gate.shut();
            execute(plain, "PRAGMA wal_autocheckpoint=0", "INSERT INTO t VALUES (1)");
            await().atMost(TIMEOUT).until(() -> database.status()
                    .captured()
                    .isAfter(database.status().replicated()));
            long waits = database.statistics().commitWaits().count();
            query(deferred, "SELECT count(*) FROM t");
            for (Connection connection : List.of(deferred, immediate)) {
                connection.setAutoCommit(false);
                query(connection, "SELECT count(*) FROM t");
                connection.commit();
                execute(connection, "INSERT INTO t VALUES (2)");
                connection.rollback();
                query(connection, "SELECT count(*) FROM other");
                connection.commit();
                connection.setAutoCommit(true);
            }
            assertThat(database.statistics().commitWaits().count()).isEqualTo(waits);
            gate.open();
        }
    }

    @Test
    void immediateTransactionAfterOneThatWaited_holdsTheWriteLockFromItsBeginning() throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(TransactionMode.IMMEDIATE);
                Connection other = DriverManager.getConnection("jdbc:sqlite:" + path + "?busy_timeout=0");
                PreparedStatement count = connection.prepareStatement("SELECT count(*) FROM t")) {
            connection.setAutoCommit(false);
            execute(connection, "INSERT INTO t VALUES (1)");
            connection.commit();
            execute(other, "PRAGMA wal_autocheckpoint=0", "INSERT INTO t VALUES (2)");
            count.executeQuery().close();
            assertThatThrownBy(() -> execute(other, "INSERT INTO t VALUES (3)")).isInstanceOf(SQLiteException.class);
            connection.commit();
            connection.setAutoCommit(true);
            assertThat(query(other, "SELECT count(*) FROM t")).isEqualTo(2);
        }
    }

    @Test
    void timeout_tellsThatTheCommitIsLocal_andWhereToSeeWhenItIsNot() throws Exception {
        begin(Durability.REPLICATED, SHORT, Duration.ofHours(1));
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            execute(connection, "INSERT INTO t VALUES (0)");
            Txid replicated = database.status().replicated();
            gate.shut();
            Throwable error = catchThrowable(() -> execute(connection, "INSERT INTO t VALUES (1)"));
            assertThat(error)
                    .isInstanceOfSatisfying(ReplicationTimeoutException.class, timeout -> {
                        assertThat(timeout.database()).isEqualTo("app.db");
                        assertThat(timeout.txid()).isEqualTo(replicated.next());
                    })
                    .hasMessage("app.db: committed locally, but not on the replica gated://" + replica
                            + " after 300 ms; it is replicated when the replicated TXID (now " + replicated + ") is "
                            + replicated.next()
                            + " or greater; do not repeat the transaction: look at the status, or wait again");
            Throwable next = catchThrowable(() -> execute(connection, "INSERT INTO t VALUES (2)"));
            assertThat(next).isInstanceOf(ReplicationTimeoutException.class).hasMessageContaining(") is greater than ");
            assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(3);
            gate.open();
            database.awaitReplicated(TIMEOUT);
            assertThat(database.status().replicated()).isGreaterThanOrEqualTo(((NotReplicatedException) next).txid());
            assertThat(database.statistics().commitWaits().failures()).isEqualTo(2);
        }
    }

    @Test
    void outage_isNamedInTheTimeout_andOverWhenTheReplicaReturns() throws Exception {
        beginReplicated(SHORT);
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.away = true;
            assertThatThrownBy(() -> execute(connection, "INSERT INTO t VALUES (1)"))
                    .isInstanceOf(ReplicationTimeoutException.class)
                    .hasMessageContaining("last error: Connection refused");
            CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> database.awaitReplicated(TIMEOUT));
            gate.away = false;
            waiting.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            assertThat(database.status().replicated())
                    .isEqualTo(database.status().captured());
        }
    }

    @Test
    void sync_replicaRefuses_endsAtOnceWithItsReason() throws Exception {
        begin(Durability.ASYNC, SHORT, Duration.ofMillis(10));
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.refuses = true;
            execute(connection, "INSERT INTO t VALUES (1)");
            assertThatThrownBy(() -> database.sync(TIMEOUT))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("not replicated (captured ")
                    .hasMessageEndingWith("access denied; give the right to write");
            gate.refuses = false;
            database.sync(TIMEOUT); // an earlier refusal does not count
        }
    }

    @Test
    void sync_outage_isWaitedOut() throws Exception {
        begin(Durability.ASYNC, SHORT, Duration.ofMillis(10));
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.away = true;
            execute(connection, "INSERT INTO t VALUES (1)");
            CompletableFuture<Void> sync = CompletableFuture.runAsync(() -> {
                try {
                    database.sync(TIMEOUT);
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
            assertThat(sync).isNotDone();
            gate.away = false;
            sync.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** After so many failures in a row the next attempt is 15 to 30 s away, unless somebody waits. */
    @Test
    void waitAfterLongOutage_doesNotSleepAsLongAsTheEngine() throws Exception {
        begin(Durability.ASYNC, SHORT, Duration.ofMillis(10));
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.away = true;
            for (int failures = 1; failures <= 9; failures++) {
                int least = failures;
                execute(connection, "INSERT INTO t VALUES (1)");
                await().atMost(TIMEOUT)
                        .until(() -> database.statistics()
                                        .operations()
                                        .get(ReplicaOperation.PUT)
                                        .failures()
                                >= least);
            }
            gate.away = false;
            database.awaitReplicated(Duration.ofSeconds(5));
            assertThat(database.status().replicated())
                    .isEqualTo(database.status().captured());
        }
    }

    @Test
    void localFileLostWhileACommitWaits_commitReturnsWithTheImage() throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.away = true;
            CompletableFuture<Void> commit = CompletableFuture.runAsync(() -> {
                try {
                    execute(connection, "INSERT INTO t VALUES (1)");
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            await().atMost(TIMEOUT).until(() -> database.status().lastError() != null);
            Files.delete(metaPath()
                    .resolve("ltx/0/"
                            + LtxFileName.of(database.status().replicated().next())));
            gate.away = false;
            commit.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            assertThat(images()).isEqualTo(2);
        }
    }

    @Test
    void nobodyReplicates_waitEndsAtOnce() throws Exception {
        begin(Durability.ASYNC, TIMEOUT, Duration.ofMillis(10));
        database.pause(TIMEOUT);
        assertStopped(" is paused");
        database.resume();
        database.awaitReplicated(TIMEOUT);
        try (Litestream second = litestream()) {
            ManagedDatabase passive = second.register(DatabaseConfig.builder(
                            path,
                            ReplicaLocation.of(folder.resolve("other").toUri().toString()))
                    .build());
            assertThatThrownBy(() -> passive.awaitReplicated(TIMEOUT))
                    .isExactlyInstanceOf(NotReplicatedException.class)
                    .hasMessageContaining(" is passive");
        }
        litestream.unregister("app.db");
        assertStopped(" is stopped");
    }

    private void assertStopped(String state) {
        for (Runnable wait :
                List.<Runnable>of(() -> database.awaitReplicated(TIMEOUT), () -> database.awaitNextSync(TIMEOUT))) {
            assertThatThrownBy(wait::run)
                    .isExactlyInstanceOf(NotReplicatedException.class)
                    .hasMessageContaining(state);
        }
    }

    @Test
    void pauseWhileACommitWaits_replicatesIt() throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.shut();
            CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> {
                try {
                    execute(connection, "INSERT INTO t VALUES (1)");
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            await().atMost(TIMEOUT).until(() -> database.status()
                    .captured()
                    .isAfter(database.status().replicated()));
            database.pause(TIMEOUT);
            gate.open();
            waiting.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            assertThat(database.status().state()).isEqualTo(DatabaseState.PAUSED);
        }
    }

    @Test
    void conflict_endsTheWaits() throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            LtxFileName next = LtxFileName.of(database.status().replicated().next());
            Files.write(replica.resolve("ltx/0").resolve(next.toString()), new byte[] {1});
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> execute(connection, "INSERT INTO t VALUES (1)"))
                        .isExactlyInstanceOf(NotReplicatedException.class)
                        .hasMessageContaining(" is conflict")
                        .hasMessageContaining("last error: ");
            }
            assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(2);
        }
    }

    @Test
    void interrupt_endsTheWait_andStays() throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            gate.shut();
            Thread.currentThread().interrupt();
            Throwable error = catchThrowable(() -> execute(connection, "INSERT INTO t VALUES (1)"));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(error)
                    .isExactlyInstanceOf(NotReplicatedException.class)
                    .hasMessageContaining(" was interrupted");
            gate.open();
            database.sync(TIMEOUT);
        }
    }

    @Test
    void nextSync_isNotForced() throws Exception {
        begin(Durability.ASYNC, TIMEOUT, Duration.ofHours(1));
        database.awaitNextSync(TIMEOUT); // nothing to wait for
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            execute(connection, "INSERT INTO t VALUES (0)");
            database.sync(TIMEOUT); // the next regular one is an hour away
            execute(connection, "INSERT INTO t VALUES (1)");
            int puts = gate.puts.get();
            assertThatThrownBy(() -> database.awaitNextSync(SHORT)).isInstanceOf(ReplicationTimeoutException.class);
            assertThat(gate.puts).hasValue(puts);
            CompletableFuture<Void> riding = CompletableFuture.runAsync(() -> database.awaitNextSync(TIMEOUT));
            assertThat(riding).isNotDone();
            database.awaitReplicated(TIMEOUT);
            riding.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            assertThat(gate.puts).hasValue(puts + 1);
            database.awaitNextSync(TIMEOUT);
        }
    }

    @Test
    void nextSync_comesWithinTheInterval() throws Exception {
        begin(Durability.ASYNC, TIMEOUT, Duration.ofMillis(200));
        try (Connection connection = open(TransactionMode.DEFERRED)) {
            for (int i = 0; i < 3; i++) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.awaitNextSync(TIMEOUT);
                assertThat(database.status().replicated())
                        .isEqualTo(database.status().captured());
            }
        }
    }

    @Test
    void manyWriters_shareUploads_andNoThreadIsStarted() throws Exception {
        Set<Thread> others = Thread.getAllStackTraces().keySet();
        begin(Durability.REPLICATED, TIMEOUT, Duration.ofSeconds(1));
        gate.delay = Duration.ofMillis(20);
        int writers = 32;
        int commits = 10;
        int puts = gate.puts.get();
        AtomicLong early = new AtomicLong();
        CountDownLatch done = new CountDownLatch(writers);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < writers; i++) {
            threads.add(new Thread(
                    () -> {
                        try (Connection connection = open(TransactionMode.DEFERRED);
                                PreparedStatement insert =
                                        connection.prepareStatement("INSERT INTO t VALUES (randomblob(100))")) {
                            for (int n = 0; n < commits; n++) {
                                Txid before = database.status().replicated();
                                insert.executeUpdate();
                                if (!database.status().replicated().isAfter(before)) {
                                    early.incrementAndGet();
                                }
                            }
                        } catch (SQLException e) {
                            e.printStackTrace();
                            early.incrementAndGet();
                        }
                        done.countDown();
                    },
                    "writer-" + i));
        }
        threads.forEach(Thread::start);
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(early).hasValue(0);
        assertThat(gate.puts.get() - puts).isLessThan(writers * commits / 4);
        Set<String> names = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !others.contains(thread))
                .map(Thread::getName)
                .filter(name -> name.startsWith("litestream"))
                .map(name -> name.replaceAll("-\\d+$", ""))
                .collect(Collectors.toSet());
        assertThat(names)
                .isSubsetOf(
                        "litestream-capture",
                        "litestream-upload",
                        "litestream-compaction",
                        "litestream-watch",
                        "litestream-timer");
        try (Connection connection = plain()) {
            assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(320);
        }
    }
}
