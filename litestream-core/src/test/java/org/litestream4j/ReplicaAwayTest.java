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
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.sqlite.SQLiteConfig.TransactionMode;

/** Waits while the replica is away, refuses, or is too slow. */
class ReplicaAwayTest extends DurabilityFixture {

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
                            + " or greater; do not repeat the transaction: check the status, or wait again");
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
}
