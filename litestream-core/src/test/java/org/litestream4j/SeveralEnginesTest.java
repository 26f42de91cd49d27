package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.PagesOfReplica;
import org.litestream4j.testing.SqliteFixture;

/** More than one engine: on one database, on one replica, one after the other. */
class SeveralEnginesTest extends EngineFixture {

    @Test
    void secondProcess_isPassiveAndTakesOver() throws Exception {
        create("CREATE TABLE t(x)");
        try (ChildProcess child = ChildProcess.start(folder.resolve("child.out"), EngineChild.class, path, replica)) {
            child.awaitOutput("engine: REPLICATING");
            await().atMost(TIMEOUT).until(() -> SqliteFixture.level0(replica).size() == 1);
            try (Litestream litestream = litestream()) {
                ManagedDatabase database = litestream.register(config().build());
                assertThat(database.status().state()).isEqualTo(DatabaseState.PASSIVE);
                try (Connection connection = open(database)) {
                    execute(connection, "INSERT INTO t VALUES (1)");
                    await().atMost(TIMEOUT)
                            .until(() -> SqliteFixture.level0(replica).size() > 1);
                    assertThat(database.status().lag()).isZero();
                    child.kill();
                    await().atMost(TIMEOUT).until(() -> database.status().state() == DatabaseState.REPLICATING);
                    execute(connection, "INSERT INTO t VALUES (2)");
                    assertReplicated(database, connection);
                }
                assertThat(images()).as("goes on where the other ended").isZero();
            }
        }
        assertReplicaIsDatabase();
    }

    /** The lock is the process's: a second channel to the lock file, once closed, would drop it. */
    @Test
    void secondEngineOfTheProcess_leavesTheFirstItsLock() throws Exception {
        create("CREATE TABLE t(x)");
        Litestream second = litestream();
        try (Litestream first = litestream()) {
            ManagedDatabase database = first.register(config().build());
            assertThat(second.register(config().build()).status().state()).isEqualTo(DatabaseState.PASSIVE);
            try (ChildProcess child =
                    ChildProcess.start(folder.resolve("child.out"), EngineChild.class, path, replica)) {
                child.awaitOutput("engine: PASSIVE");
                assertThat(child.output()).doesNotContain("REPLICATING");
            }
            second.close();
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                assertReplicated(database, connection);
            }
        }
        assertReplicaIsDatabase();
    }

    @Test
    void secondDatabaseOnTheReplica_stopsTheFirst_andIsNotDisturbed() throws Exception {
        create("CREATE TABLE t(x)");
        Path other = folder.resolve("other.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            execute(connection, "PRAGMA journal_mode=WAL", "CREATE TABLE o(x)");
        }
        try (Litestream one = litestream();
                Litestream two = litestream()) {
            ManagedDatabase first = one.register(config().build());
            first.sync(TIMEOUT);
            ManagedDatabase second =
                    two.register(config(other, replica).adoptReplica(true).build());
            second.sync(TIMEOUT);
            try (Connection connection = open(first)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                assertThatThrownBy(() -> first.sync(TIMEOUT)).isInstanceOf(LitestreamException.class);
                assertThat(first.status().state()).isEqualTo(DatabaseState.CONFLICT);
                assertThat(first.status().lastError()).contains("another process writes to this replica");
            }
            try (Connection connection = open(second)) {
                execute(connection, "INSERT INTO o VALUES (1)");
                assertReplicated(second, connection);
            }
        }
        Path restored = folder.resolve("restored.db");
        PagesOfReplica pages = new PagesOfReplica(replica);
        pages.applyAll();
        pages.writeTo(restored);
        assertThat(restored).hasSameBinaryContentAs(other);
    }

    @Test
    void emptyDatabaseOnReplicaWithData_isRefused() throws Exception {
        create("CREATE TABLE t(x)", "INSERT INTO t VALUES (1)");
        try (Litestream litestream = litestream()) {
            litestream.register(config().build()).sync(TIMEOUT);
        }
        Set<LtxFileName> before = Set.copyOf(SqliteFixture.level0(replica));
        for (Path file : Set.of(path, path.resolveSibling("app.db-wal"), path.resolveSibling("app.db-shm"))) {
            Files.deleteIfExists(file);
        }
        create("CREATE TABLE t(x)", "DROP TABLE t"); // with the old local state
        long begun;
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(
                    config().shutdownSyncTimeout(Duration.ofMinutes(5)).build());
            await().atMost(TIMEOUT)
                    .until(() -> String.valueOf(database.status().lastError()).contains("replaceWithEmpty"));
            begun = System.nanoTime();
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofMinutes(1));
        SqliteFixture.deleteTree(metaPath()); // and without
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            await().atMost(TIMEOUT)
                    .until(() -> String.valueOf(database.status().lastError()).contains("replaceWithEmpty"));
        }
        assertThat(SqliteFixture.level0(replica)).hasSameElementsAs(before);
        try (Litestream litestream = litestream()) {
            litestream.register(config().replaceWithEmpty(true).build()).sync(TIMEOUT);
        }
        assertReplicaIsDatabase();
    }

    /** Hard links and bind mounts give one file several names, and each name a local state of its own. */
    @Test
    void fileUnderTwoNames_isReplicatedOnce() throws Exception {
        create("CREATE TABLE t(x)");
        Path link = folder.resolve("link.db");
        try (Litestream litestream = litestream();
                Litestream other = litestream()) {
            ManagedDatabase first = litestream.register(config().build());
            first.sync(TIMEOUT);
            Files.createLink(link, path);
            ManagedDatabase second = other.register(config(link, folder.resolve("replica-2"))
                    .shutdownSyncTimeout(Duration.ofMillis(100))
                    .build());
            await().atMost(TIMEOUT).until(() -> second.status().lastError() != null);
            assertThat(second.status().state()).isNotEqualTo(DatabaseState.REPLICATING);
        } finally {
            Files.deleteIfExists(link);
        }
    }

    @Test
    void fiftyStartsAndStops_leaveNothingBehind() throws Exception {
        create("CREATE TABLE t(x)");
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        startAndStop(); // whatever is loaded only once
        for (int i = 0; i < 50; i++) {
            startAndStop();
        }
        assertThat(descriptors()).isEmpty();
        await().atMost(TIMEOUT).until(() -> threads(before).isEmpty());
        try (Connection connection = plain()) {
            assertThat(query(connection, "SELECT count(*) FROM t")).isEqualTo(51);
        }
        assertThat(images()).isEqualTo(1);
        assertReplicaIsDatabase();
    }

    private void startAndStop() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
            }
        }
    }

    private static Set<String> threads(Set<Thread> before) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !before.contains(thread))
                .map(Thread::getName)
                .filter(name -> name.startsWith("litestream-"))
                .collect(Collectors.toSet());
    }

    /** Open files of this process below the folder; empty where the system does not tell. */
    private Set<String> descriptors() throws Exception {
        Path all = Path.of("/proc/self/fd");
        if (!Files.isDirectory(all)) {
            return Set.of();
        }
        try (var paths = Files.list(all)) {
            return paths.map(SeveralEnginesTest::target)
                    .filter(target -> target.startsWith(folder.toString()))
                    .collect(Collectors.toSet());
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (java.io.IOException e) {
            return ""; // closed meanwhile
        }
    }
}
