package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.litestream4j.testing.EngineFixture;

/** Merges and snapshots pause and go on; capture and uploads never pause. */
class MaintenanceTest extends EngineFixture {

    private static final Duration SHORT = Duration.ofMillis(300);

    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;

    @BeforeEach
    void begin() throws Exception {
        create("CREATE TABLE t(x)");
        litestream = litestream();
        database = litestream.register(config().build());
        connection = open(database);
        database.sync(TIMEOUT);
    }

    @AfterEach
    void end() throws Exception {
        connection.close();
        litestream.close();
        assertReplicaIsDatabase();
    }

    @Test
    void paused_replicatesButDoesNotMerge_andResumesWithWhatWasAskedFor() throws Exception {
        litestream.pauseMaintenance();
        litestream.pauseMaintenance();
        write(3);
        assertThatThrownBy(() -> database.compact(SHORT)).isInstanceOf(LitestreamException.class);
        assertThat(merges()).isZero();
        assertThat(database.status().lastError()).isNull();
        assertThat(database.status().replicated()).isEqualTo(database.status().captured());
        litestream.resumeMaintenance();
        await().atMost(TIMEOUT).until(() -> merges() > 0);
    }

    @Test
    void pausedWhileASnapshotIsWanted_takesItLater() throws Exception {
        litestream.pauseMaintenance();
        write(1);
        assertThatThrownBy(() -> database.snapshot(SHORT)).isInstanceOf(LitestreamException.class);
        litestream.resumeMaintenance();
        litestream.pauseMaintenance();
        litestream.resumeMaintenance();
        assertThat(database.snapshot(TIMEOUT)).isEqualTo(database.status().replicated());
    }

    @RepeatedTest(5)
    void pausedOverAndOver_losesNoSnapshot() throws Exception {
        execute(connection, "INSERT INTO t VALUES (zeroblob(3000000))");
        for (int i = 0; i < 20; i++) {
            write(1);
            beginSnapshot();
            litestream.pauseMaintenance();
            litestream.resumeMaintenance();
        }
        assertThat(database.snapshot(TIMEOUT)).isEqualTo(database.status().replicated());
        await().atMost(TIMEOUT).until(() -> database.status().lastError() == null);
    }

    @Test
    void registeredWhilePaused_isPausedToo() throws Exception {
        litestream.pauseMaintenance();
        Path other = folder.resolve("other.db");
        ManagedDatabase late = litestream.register(
                config(other, folder.resolve("other-replica")).build());
        try (Connection its = open(late)) {
            execute(its, "CREATE TABLE t(x)");
            late.sync(TIMEOUT);
            execute(its, "INSERT INTO t VALUES (1)");
            assertThatThrownBy(() -> late.compact(SHORT)).isInstanceOf(LitestreamException.class);
            litestream.resumeMaintenance();
            late.compact(TIMEOUT);
        }
        assertThat(Files.exists(other)).isTrue();
    }

    @Test
    void closedWhilePaused_replicatesTheRest() throws Exception {
        litestream.pauseMaintenance();
        execute(connection, "INSERT INTO t VALUES (1)");
        connection.close();
        litestream.close();
        assertThat(logged()).noneMatch(line -> line.startsWith("database closed with an error"));
    }

    /** The pause meets it somewhere on its way. */
    private void beginSnapshot() throws Exception {
        try {
            database.snapshot(Duration.ofMillis(5));
        } catch (LitestreamException e) {
            // not within this time, as a rule
        }
    }

    private void write(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(5000))");
            database.sync(TIMEOUT);
        }
    }

    private long merges() {
        return database.compaction().merges();
    }
}
