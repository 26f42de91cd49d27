package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.ltx.Txid;
import org.sqlite.SQLiteConfig.TransactionMode;
import org.sqlite.SQLiteException;

/** A commit that waits for the replica returns when it is there, and holds up nobody. */
class DurabilityTest extends DurabilityFixture {

    @ParameterizedTest
    @EnumSource
    void commit_returnsWhenItIsOnTheReplica(CommitWay way) throws Exception {
        commit_returnsWhenItIsOnTheReplica(way, TransactionMode.DEFERRED);
    }

    @ParameterizedTest
    @EnumSource
    void commitOfImmediateTransaction_returnsWhenItIsOnTheReplica_withoutTheWriteLock(CommitWay way) throws Exception {
        commit_returnsWhenItIsOnTheReplica(way, TransactionMode.IMMEDIATE);
    }

    private void commit_returnsWhenItIsOnTheReplica(CommitWay way, TransactionMode mode) throws Exception {
        beginReplicated(TIMEOUT);
        try (Connection connection = open(mode)) {
            if (way == CommitWay.SCHEMA) { // one that has seen the schema
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
