package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.level;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.ManualClock;
import org.litestream4j.testing.SqliteFixture;

/** Clocks that jump, and processes that sleep: no wrong file, nothing deleted by a wrong clock, and nobody else disturbed. */
class ClockTest extends EngineFixture {

    private static final Duration RETENTION = Duration.ofSeconds(1);

    @Test
    void clockThatJumps_deletesNothing_andAllStaysRestorable() throws Exception {
        create("CREATE TABLE t(x)");
        ManualClock clock = new ManualClock();
        try (Litestream litestream = Litestream.builder()
                .watchInterval(Duration.ofMillis(50))
                .clock(clock)
                .build()) {
            ManagedDatabase database = litestream.register(config().level0Retention(RETENTION)
                    .levels(List.of(Duration.ofHours(1)))
                    .snapshotInterval(Duration.ofHours(24))
                    .validationInterval(Duration.ofSeconds(1))
                    .build());
            try (Connection connection = open(database)) {
                write(connection, database);
                clock.advance(Duration.ofSeconds(30));
                database.compact(TIMEOUT);
                assertThat(level(replica, 0)).as("the test could not fail").hasSize(1);

                for (Duration jump : List.of(Duration.ofDays(10), Duration.ofDays(-20), Duration.ofDays(3650))) {
                    write(connection, database);
                    List<LtxFileName> before = level(replica, 0);
                    List<LtxFileName> snapshots = level(replica, 9);
                    clock.jump(jump);
                    write(connection, database);
                    database.compact(TIMEOUT);
                    assertThat(level(replica, 0)).as("after %s", jump).containsAll(before);
                    assertThat(level(replica, 9)).containsAll(snapshots);
                    assertThat(database.compaction().retentionProblem()).contains("clock");
                    assertThat(database.status().lag()).isLessThan(TIMEOUT);
                    assertThat(database.validate(true).isSound()).isTrue();
                }
            }
            assertThat(images()).isEqualTo(1);
        }
        assertRestoredIs(path);
    }

    private static void write(Connection connection, ManagedDatabase database) throws Exception {
        for (int i = 0; i < 3; i++) {
            execute(connection, "INSERT INTO t VALUES (randomblob(5000))");
            database.sync(TIMEOUT);
        }
    }

    @Test
    void suspendedLongerThanItsProofHolds_provesAnewAndGoesOn() throws Exception {
        create("CREATE TABLE t(x)", "INSERT INTO t VALUES (zeroblob(200000))");
        try (ChildProcess child = startChild()) {
            List<LtxFileName> before = level(replica, 0);
            child.suspend();
            insert();
            await().pollDelay(RETENTION.multipliedBy(2)).until(() -> true);
            child.proceed();
            await().atMost(TIMEOUT).until(() -> level(replica, 0).size() > before.size());
            child.tell("end");
            assertThat(child.awaitExit(60)).isTrue();
            assertThat(child.output()).contains("engine: closed").doesNotContain("CONFLICT");
            List<LtxFileName> after = new ArrayList<>(level(replica, 0));
            after.removeAll(before);
            for (LtxFileName name : after) {
                assertThat(SqliteFixture.pages(replica, name))
                        .as("%s is no image", name)
                        .isLessThan(20);
            }
        }
        assertRestoredIs(path);
    }

    /** What names there were is retired: only the look at the replica tells that somebody else was there. */
    @Test
    void suspendedWhileAnotherTookOver_findsOut_andDisturbsNothing() throws Exception {
        create("CREATE TABLE t(x)");
        Path other = folder.resolve("other.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + other)) {
            execute(connection, "PRAGMA journal_mode=WAL", "CREATE TABLE t(x)", "INSERT INTO t VALUES ('another')");
        }
        try (ChildProcess child = startChild();
                Litestream litestream = litestream()) {
            child.suspend();
            LtxFileName next = LtxFileName.of(
                    level(replica, 0).get(level(replica, 0).size() - 1).max().next());
            ManagedDatabase database = litestream.register(config(other, replica)
                    .level0Retention(RETENTION)
                    .adoptReplica(true)
                    .build());
            try (Connection connection = open(database)) {
                for (int i = 0; i < 10; i++) {
                    write(connection, database);
                }
                await().atMost(TIMEOUT).until(() -> {
                    write(connection, database);
                    database.compact(TIMEOUT);
                    return !level(replica, 0).contains(next);
                });
                List<Path> files = files();
                child.proceed();
                insert();
                child.awaitOutput("engine: CONFLICT");
                assertThat(files).as("nothing is added").containsAll(files());
                write(connection, database);
                assertThat(database.validate(true).isSound()).isTrue();
            }
        }
        assertRestoredIs(other);
    }

    private ChildProcess startChild() throws Exception {
        ChildProcess child =
                ChildProcess.start(folder.resolve("child.out"), EngineChild.class, path, replica, RETENTION.toMillis());
        child.awaitOutput("engine: REPLICATING");
        await().atMost(TIMEOUT).until(() -> !level(replica, 0).isEmpty());
        int before = level(replica, 0).size();
        insert();
        await().atMost(TIMEOUT).until(() -> level(replica, 0).size() > before);
        return child;
    }

    private void insert() throws Exception {
        try (Connection connection = plain()) {
            execute(connection, "INSERT INTO t VALUES (1)");
        }
    }

    private List<Path> files() throws IOException {
        try (var files = Files.walk(replica)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private void assertRestoredIs(Path database) throws Exception {
        Path restored = folder.resolve("restored.db");
        try (ReplicaClient client = Replicas.open(config().build().replica())) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        assertThat(restored).hasSameBinaryContentAs(database);
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
    }
}
