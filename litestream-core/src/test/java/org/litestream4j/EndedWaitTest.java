package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteConfig.TransactionMode;

/** Waits that end because nobody replicates any more, or the waiting thread is interrupted. */
class EndedWaitTest extends DurabilityFixture {

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
}
