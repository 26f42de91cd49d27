package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteException;

/** Others write to the database, or do worse with its files, while we run. */
class ForeignWritersTest extends EngineFixture {

    private static final Logger log = LoggerFactory.getLogger(ForeignWritersTest.class);

    private static final String TABLE =
            "CREATE TABLE t(writer INTEGER, number INTEGER, v BLOB, PRIMARY KEY(writer, number))";

    @Test
    void foreignProcesses_writeCheckpointAndDie_nothingIsMissed() throws Exception {
        long seed = System.nanoTime();
        log.warn("seed {}", seed);
        create(TABLE);
        Random random = new Random(seed);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database);
                    ChildProcess one = ChildProcess.start(
                            folder.resolve("one.out"), ForeignChild.class, path, random.nextLong(), 2);
                    ChildProcess two = ChildProcess.start(
                            folder.resolve("two.out"), ForeignChild.class, path, random.nextLong(), 2.5)) {
                long number = 0;
                while (one.isAlive() || two.isAlive()) {
                    CrashChild.insert(connection, 1, ++number);
                    if (random.nextInt(100) == 0) {
                        execute(connection, "VACUUM");
                    }
                    Thread.sleep(random.nextInt(5));
                }
                assertThat(one.exitCode()).as(one.output()).isZero();
                assertThat(two.exitCode()).as(two.output()).isZero();
                assertThat(query(connection, "SELECT count(*) FROM t WHERE writer = " + ForeignChild.WRITER))
                        .isPositive();
                assertReplicated(database, connection);
            }
            assertThat(images()).isEqualTo(1);
        }
        assertReplicaIsDatabase();
    }

    @Test
    void journalModeSwitch_isRefused() throws Exception {
        create(TABLE);
        try (Litestream litestream = litestream()) {
            litestream.register(config().build());
            try (Connection other = plain()) {
                execute(other, "PRAGMA busy_timeout=0");
                assertThatThrownBy(() -> execute(other, "PRAGMA journal_mode=DELETE"))
                        .isInstanceOf(SQLiteException.class);
            }
        }
    }

    @Test
    void journalModeSwitchBetweenRuns_leadsToComparison() throws Exception {
        create(TABLE);
        run(connection -> CrashChild.insert(connection, 1, 1));
        try (Connection other = plain()) {
            execute(other, "PRAGMA journal_mode=DELETE");
            CrashChild.insert(other, 1, 2);
        }
        run(connection -> CrashChild.insert(connection, 1, 3));
        assertThat(images()).isEqualTo(1);
        assertThat(readings()).isEqualTo(2);
        assertReplicaIsDatabase();
    }

    @Test
    void replacedDatabase_isReportedAndCapturedAnew() throws Exception {
        create(TABLE);
        Path other = folder.resolve("other.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            execute(connection, "PRAGMA journal_mode=WAL", TABLE);
            CrashChild.insert(connection, 5, 1);
        }
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                CrashChild.insert(connection, 1, 1);
                database.sync(TIMEOUT);
            }
            Files.deleteIfExists(path.resolveSibling("app.db-wal"));
            Files.deleteIfExists(path.resolveSibling("app.db-shm"));
            Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
            await().atMost(TIMEOUT).until(() -> readings() == 2);
            assertThat(logged()).anyMatch(line -> line.startsWith("capture failed, will retry"));
            try (Connection connection = open(database)) {
                CrashChild.insert(connection, 5, 2);
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void deletedWal_isNeverTakenForEmpty() throws Exception {
        create(TABLE);
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            long replicated;
            try (Connection connection = open(database)) {
                CrashChild.insert(connection, 1, 1);
                database.sync(TIMEOUT);
                Files.delete(path.resolveSibling("app.db-wal"));
                CrashChild.insert(connection, 1, 2);
                await().atMost(TIMEOUT)
                        .until(() ->
                                String.valueOf(database.status().lastError()).contains("deleted or replaced"));
                replicated = database.status().replicated().value();
                await().pollDelay(Duration.ofMillis(1500)).until(() -> true); // a few attempts
                assertThat(database.status().replicated().value()).isEqualTo(replicated);
            }
            await().atMost(TIMEOUT).until(() -> database.status().lastError() == null);
            database.sync(TIMEOUT);
        }
        assertReplicaIsDatabase();
    }

    private interface Work {
        void run(Connection connection) throws Exception;
    }

    private void run(Work work) throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                work.run(connection);
                database.sync(TIMEOUT);
            }
        }
    }
}
