package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.query;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.testing.EngineFixture;
import org.sqlite.SQLiteException;

/** What the application's connections do while the engine holds the write lock. */
class HeldWriteLockTest extends EngineFixture {

    @Test
    void held_letsReadersGoOn_andWritersWaitForItsEnd() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                CaptureListener lock = ((DatabaseEngine) database).connections().captureListener();
                database.sync(TIMEOUT); // a start takes it, too
                lock.writeLockTaken();
                assertThat(count(connection)).isZero();
                FutureTask<Void> writer = new FutureTask<>(() -> {
                    insert(connection);
                    return null;
                });
                Thread thread = new Thread(writer);
                thread.start();
                await().atMost(TIMEOUT).until(() -> writer.isDone() || thread.getState() == Thread.State.TIMED_WAITING);
                assertThat(writer.isDone()).isFalse();
                lock.writeLockHeld(1);
                writer.get();
                assertThat(count(connection)).isEqualTo(1);
                assertThat(database.statistics().writeLock().count()).isPositive();
            }
        }
    }

    /** As an application's transaction does it, as fast as it can, while every round ends with the write lock. */
    @Test
    void readThenWrite_goesThroughManyLockedRounds() throws Exception {
        create("CREATE TABLE t(x)", "CREATE INDEX i ON t(x)");
        int rounds = 5;
        int failed = 0;
        int done = 0;
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().walLimitPages(200)
                    .checkpointInterval(Duration.ofSeconds(1)) // else there are hardly transactions between rounds
                    .build());
            database.sync(TIMEOUT);
            long before = database.statistics().writeLock().count();
            try (Connection connection = open(database)) {
                connection.setAutoCommit(false);
                long end = System.nanoTime() + TIMEOUT.toNanos();
                while (database.statistics().writeLock().count() < before + rounds && System.nanoTime() < end) {
                    try {
                        count(connection);
                        insert(connection);
                        connection.commit();
                        done++;
                    } catch (SQLiteException e) {
                        failed++;
                        connection.rollback();
                        insert(connection); // a write that has not read before waits: one failure for each time the
                        // lock is held
                        connection.commit();
                        done++;
                    }
                }
                connection.setAutoCommit(true);
                assertThat(database.statistics().writeLock().count())
                        .as("locked rounds after %d transactions", done)
                        .isGreaterThanOrEqualTo(before + rounds);
                assertThat(failed).as("failed, of %d", done).isLessThanOrEqualTo(done / 1000);
                assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(done);
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    private static long count(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("select count(*) from (select 1 from t limit 1)");
                ResultSet row = select.executeQuery()) {
            return row.getLong(1);
        }
    }

    private static void insert(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into t values (randomblob(100))")) {
            insert.executeUpdate();
        }
    }
}
