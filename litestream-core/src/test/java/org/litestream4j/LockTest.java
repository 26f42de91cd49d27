package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.InputStream;
import java.nio.file.Files;
import java.sql.Connection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.LockProbe;
import org.litestream4j.testing.SqliteFixture;

/**
 * SQLite's locks belong to the process and are gone once anybody in it closes any descriptor of the database file: another
 * process then deletes the WAL in use.
 */
class LockTest extends EngineFixture {

    private LockProbe probe;

    @BeforeEach
    void startProbe() throws Exception {
        probe = new LockProbe(folder);
        create("CREATE TABLE t(x)", "INSERT INTO t VALUES (zeroblob(100000))");
    }

    @AfterEach
    void stopProbe() {
        probe.close();
    }

    @Test
    void probe_noticesLostLocks() throws Exception {
        try (Connection connection = plain()) {
            execute(connection, "INSERT INTO t VALUES (1)");
            assertThat(probe.isHeldOff(path)).isTrue();
            try (InputStream careless = Files.newInputStream(path)) {
                assertThat(careless.read()).isNotNegative();
            }
            assertThat(probe.isHeldOff(path)).as("the test could not fail").isFalse();
        }
    }

    @Test
    void imageSnapshotAndRounds_keepTheLocks() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            database.sync(TIMEOUT); // behind the first image
            assertThat(probe.isHeldOff(path)).isTrue();
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.snapshot(TIMEOUT);
                assertThat(probe.isHeldOff(path)).as("after a snapshot").isTrue();
                for (int i = 0; i < 20; i++) {
                    execute(connection, "INSERT INTO t VALUES (zeroblob(50000))");
                    database.sync(TIMEOUT);
                }
                execute(connection, "VACUUM", "INSERT INTO t VALUES (1)");
                assertThat(probe.isHeldOff(path)).as("after rounds").isTrue();
                assertReplicated(database, connection);
            }
        }
    }

    @Test
    void closing_keepsTheLocksOfOtherConnections() throws Exception {
        try (Connection other = plain()) {
            for (int i = 0; i < 3; i++) {
                try (Litestream litestream = litestream()) {
                    ManagedDatabase database = litestream.register(config().build());
                    database.sync(TIMEOUT);
                }
                execute(other, "INSERT INTO t VALUES (1)");
                assertThat(probe.isHeldOff(path)).as("after close " + i).isTrue();
            }
        }
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            database.sync(TIMEOUT);
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                assertThat(probe.isHeldOff(path))
                        .as("after a restart in the same process")
                        .isTrue();
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void secondEngineOfTheProcess_closesWithoutHarm() throws Exception {
        Litestream second = litestream();
        try (Litestream first = litestream()) {
            ManagedDatabase database = first.register(config().build());
            database.sync(TIMEOUT);
            second.register(config(path, folder.resolve("second"))
                            .metaPath(folder.resolve("second-meta"))
                            .build())
                    .sync(TIMEOUT);
            second.close();
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                assertThat(probe.isHeldOff(path)).isTrue();
                assertReplicated(database, connection);
            }
        }
    }

    @Test
    void failureAndNewAttach_keepTheLocks() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                Files.move(metaPath().resolve("position"), metaPath().resolve("position.kept"));
                Files.createDirectories(metaPath().resolve("position").resolve("in the way"));
                execute(connection, "INSERT INTO t VALUES (2)");
                org.awaitility.Awaitility.await()
                        .atMost(TIMEOUT)
                        .until(() -> database.status().lastError() != null);
                assertThat(probe.isHeldOff(path)).isTrue();
                SqliteFixture.deleteTree(metaPath().resolve("position"));
                assertReplicated(database, connection);
                assertThat(probe.isHeldOff(path)).isTrue();
            }
        }
        assertReplicaIsDatabase();
    }
}
