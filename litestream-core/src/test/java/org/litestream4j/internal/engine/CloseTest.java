package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseState;
import org.litestream4j.InPlaceRestoreResult;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.GatedReplicaProvider;

/** Closing: from several threads, while something is going on, and what becomes of a lane that does not end. */
class CloseTest extends EngineFixture {

    @Test
    void concurrentCloses_allWaitForTheLastCommit() throws Exception {
        Litestream litestream = litestream();
        ManagedDatabase database = litestream.register(config().build());
        Connection connection = open(database);
        execute(connection, "CREATE TABLE t(x)");
        database.sync(TIMEOUT);
        List<CompletableFuture<Void>> closes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            closes.add(CompletableFuture.runAsync(() -> close((DatabaseEngine) database)));
        }
        // The first waits for the connection to be closed.
        assertThatThrownBy(() -> CompletableFuture.anyOf(closes.toArray(CompletableFuture[]::new))
                        .get(500, TimeUnit.MILLISECONDS))
                .isInstanceOf(java.util.concurrent.TimeoutException.class);
        execute(connection, "INSERT INTO t VALUES (1)");
        connection.close();
        for (CompletableFuture<Void> close : closes) {
            close.get(30, TimeUnit.SECONDS);
        }
        litestream.close();
        assertReplicaIsDatabase();
    }

    @Test
    void concurrentCloses_allReportWhatIsMissing() throws Exception {
        GatedReplicaProvider.Control control = GatedReplicaProvider.control(replica);
        DatabaseConfig config = DatabaseConfig.builder(path, GatedReplicaProvider.location(replica))
                .shutdownSyncTimeout(Duration.ofMillis(500))
                .build();
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                execute(connection, "CREATE TABLE t(x)");
                database.sync(TIMEOUT);
                control.away = true;
                execute(connection, "INSERT INTO t VALUES (1)");
            }
            List<CompletableFuture<Void>> closes = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                closes.add(CompletableFuture.runAsync(() -> close((DatabaseEngine) database)));
            }
            for (CompletableFuture<Void> close : closes) {
                assertThatThrownBy(() -> close.get(30, TimeUnit.SECONDS))
                        .hasMessageContaining("closed before everything was replicated");
            }
        }
    }

    private static void close(DatabaseEngine database) {
        try {
            database.close();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void engineAfterOneThatWasStillBusy_saysSo_andTakesOver() throws Exception {
        CountDownLatch busy = new CountDownLatch(1);
        StallingClock clock = new StallingClock(busy);
        Litestream first = Litestream.builder().clock(clock).build();
        ManagedDatabase old = first.register(
                config().shutdownSyncTimeout(Duration.ofMillis(100)).build());
        try (Connection connection = open(old)) {
            execute(connection, "CREATE TABLE t(x)");
            old.sync(TIMEOUT);
            clock.stalls = true;
            execute(connection, "INSERT INTO t VALUES (1)");
            assertThat(clock.stalled.await(30, TimeUnit.SECONDS)).isTrue();
        }
        first.close(); // gives up
        assertThat(logged()).anyMatch(line -> line.startsWith("capture still running"));
        try (Litestream second = litestream()) {
            ManagedDatabase database = second.register(config().build());
            await().atMost(TIMEOUT)
                    .until(() -> String.valueOf(database.status().lastError()).contains("a closed engine"));
            assertThat(database.status().state()).isEqualTo(DatabaseState.PASSIVE);
            assertThat(database.status().lag()).isPositive();
            busy.countDown();
            database.sync(TIMEOUT);
            assertThat(database.status().state()).isEqualTo(DatabaseState.REPLICATING);
            assertThat(database.status().lastError()).isNull();
        }
        assertReplicaIsDatabase();
    }

    /** Stops the capture lane at its next look at the time. */
    private static final class StallingClock extends Clock {
        private final CountDownLatch end;
        private final CountDownLatch stalled = new CountDownLatch(1);
        private volatile boolean stalls;

        StallingClock(CountDownLatch end) {
            this.end = end;
        }

        @Override
        public Instant instant() {
            if (stalls && Thread.currentThread().getName().startsWith("litestream-capture")) {
                stalled.countDown();
                try {
                    end.await();
                } catch (InterruptedException e) {
                    throw new AssertionError("threads of lanes are never interrupted", e);
                }
            }
            return Instant.now();
        }

        @Override
        public ZoneId getZone() {
            return ZoneId.of("UTC");
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    @Test
    void restoreInPlaceThatWaitsForWriters_changesNothingAfterTheClose() throws Exception {
        Litestream litestream = litestream();
        ManagedDatabase database = litestream.register(config().build());
        try (Connection connection = open(database)) {
            execute(connection, "CREATE TABLE t(x)");
            database.sync(TIMEOUT);
        }
        RestoreOptions toEmpty = RestoreOptions.builder()
                .target(org.litestream4j.restore.RestoreTarget.txid(
                        database.status().replicated()))
                .build();
        try (Connection writer = plain()) {
            execute(writer, "INSERT INTO t VALUES (1)");
            database.sync(TIMEOUT);
            execute(writer, "BEGIN IMMEDIATE");
            CompletableFuture<InPlaceRestoreResult> restore = CompletableFuture.supplyAsync(() -> {
                try {
                    return database.restoreInPlace(toEmpty, Duration.ofMinutes(5));
                } catch (Exception e) {
                    throw new java.util.concurrent.CompletionException(e);
                }
            });
            await().atMost(TIMEOUT)
                    .until(() -> ((DatabaseEngine) database).connections().isHeldBack());
            litestream.close();
            execute(writer, "ROLLBACK");
            assertThatThrownBy(() -> restore.get(30, TimeUnit.SECONDS)).hasMessageContaining("nothing was changed");
            assertThat(query(writer, "SELECT count(*) FROM t")).isEqualTo(1);
        }
    }
}
