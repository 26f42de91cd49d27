package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.sqlite.SQLiteConfig.TransactionMode;

/** A wait for the next regular upload. */
class NextSyncTest extends DurabilityFixture {

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
}
