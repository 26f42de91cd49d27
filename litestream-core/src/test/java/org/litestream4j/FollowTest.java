package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.FollowListener;
import org.litestream4j.restore.FollowState;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** A standby that another process keeps, while the engine here replicates. {@code -Pcrash -Dcycles=… -Dcrash.seed=…}. */
class FollowTest extends EngineFixture {

    private Path standby;
    private Litestream litestream;
    private ManagedDatabase database;
    private Connection connection;
    private long version;
    private int children;

    @BeforeEach
    void startEngine() throws Exception {
        standby = folder.resolve("standby/app.db");
        create(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER, filler BLOB)",
                "CREATE INDEX i ON t(v)",
                "CREATE TABLE state(n INTEGER)",
                "INSERT INTO state VALUES (0)");
        attach();
        write(200);
    }

    private void attach() throws Exception {
        litestream = litestream();
        database = litestream.register(config().build());
        connection = open(database);
    }

    @AfterEach
    void stopEngine() throws Exception {
        connection.close();
        litestream.close();
    }

    /** One transaction that gives every row the next version, and makes the table this long. */
    private void write(int rows) throws Exception {
        version++;
        execute(
                connection,
                "BEGIN IMMEDIATE",
                "DELETE FROM t WHERE id > " + rows,
                "UPDATE t SET v = " + version + ", filler = randomblob(length(filler))",
                "WITH RECURSIVE n(id) AS (SELECT (SELECT coalesce(max(id), 0) FROM t) + 1 UNION ALL SELECT id + 1 FROM"
                        + " n LIMIT "
                        + rows + ") INSERT INTO t SELECT id, " + version
                        + ", randomblob(50 + abs(random() % 300)) FROM n WHERE id <= "
                        + rows,
                "UPDATE state SET n = (SELECT count(*) FROM t)",
                "COMMIT");
    }

    private ChildProcess follow(boolean force) throws IOException {
        return ChildProcess.start(folder.resolve("follow" + ++children), FollowChild.class, replica, standby, force);
    }

    /** Waits until the standby has all that is committed. */
    private void awaitStandby(ChildProcess follower) throws Exception {
        database.sync(TIMEOUT);
        follower.awaitOutput(" " + database.status().captured() + " ");
    }

    private static void end(ChildProcess child) throws Exception {
        child.tell("end");
        assertThat(child.awaitExit(60)).isTrue();
        assertThat(child.output()).doesNotContain("WRONG");
        assertThat(child.exitCode()).as(child.output()).isZero();
    }

    private long standbyVersion() throws Exception {
        try (Connection reader = DriverManager.getConnection("jdbc:sqlite:" + standby)) {
            assertThat(query(reader, "SELECT max(v) FROM t")).isEqualTo(query(reader, "SELECT min(v) FROM t"));
            assertThat(query(reader, "SELECT count(*) FROM t")).isEqualTo(query(reader, "SELECT n FROM state"));
            return query(reader, "SELECT max(v) FROM t");
        }
    }

    /** All pages are the primary's, but for what a standby's page 1 has of its own. */
    private void assertSamePages() throws Exception {
        connection.close();
        litestream.close();
        byte[] expected = Files.readAllBytes(path);
        byte[] actual = Files.readAllBytes(standby);
        for (byte[] image : List.of(expected, actual)) {
            for (int at : new int[] {18, 19, 24, 25, 26, 27, 40, 41, 42, 43, 92, 93, 94, 95}) {
                image[at] = 0;
            }
        }
        assertThat(actual.length).isEqualTo(expected.length);
        assertThat(java.util.Arrays.mismatch(actual, expected)).isEqualTo(-1);
        assertThat(SqliteFixture.integrity(standby)).isEqualTo("ok");
    }

    @Test
    void newCommits_areAppliedAsTheyAppear() throws Exception {
        ChildProcess follower = follow(false);
        try (follower) {
            awaitStandby(follower);
            assertThat(standbyVersion()).isEqualTo(version);
            for (int rows : new int[] {210, 2_000, 100, 150}) {
                write(rows);
                awaitStandby(follower);
                assertThat(standbyVersion()).isEqualTo(version);
            }
            execute(connection, "VACUUM");
            write(120);
            awaitStandby(follower);
            end(follower);
        }
        assertThat(follower.output())
                .contains("state RESTORED", "state APPLIED")
                .doesNotContain("COPIED");
        assertThat(Path.of(standby + "-txid")).hasContent(database.status().captured() + "\n");
        assertThat(standby.getParent().toFile().list()).containsExactlyInAnyOrder("app.db", "app.db-txid");
        assertSamePages();
    }

    @Test
    void stopped_resumesWhereItWas() throws Exception {
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            end(follower);
        }
        write(300);
        write(310);
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            end(follower);
            assertThat(follower.output()).startsWith("state RESUMED").contains("state APPLIED");
        }
        assertSamePages();
    }

    @Test
    void overtakenByRetention_isCopiedFromARestoredState() throws Exception {
        try (ChildProcess reader = ChildProcess.start(folder.resolve("reader"), StandbyReader.class, standby)) {
            try (ChildProcess follower = follow(false)) {
                awaitStandby(follower);
                end(follower);
            }
            write(300);
            database.sync(TIMEOUT);
            write(310);
            database.snapshot(TIMEOUT);
            database.compact(TIMEOUT); // or a merge of local files would bring back what is deleted here
            for (int level = 0; level < 9; level++) {
                for (LtxFileName name : SqliteFixture.level(replica, level)) {
                    Files.delete(replica.resolve("ltx/" + level + "/" + name));
                }
            }
            try (ChildProcess follower = follow(false)) {
                follower.awaitOutput("state COPIED");
                write(320);
                awaitStandby(follower);
                end(follower);
                assertThat(follower.output()).startsWith("state RESUMED").contains("state APPLIED");
            }
            end(reader);
        }
        assertSamePages();
    }

    @Test
    void longReader_keepsItsStateAndIsWaitedFor() throws Exception {
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            ChildProcess holder = ChildProcess.start(folder.resolve("holder"), StandbyReader.class, standby, "hold");
            try (holder) {
                holder.awaitOutput("holding");
                write(300);
                database.sync(TIMEOUT);
                follower.awaitOutput("problem java.io.IOException: readers keep");
                assertThat(follower.output())
                        .doesNotContain(" " + database.status().captured() + " ");
                holder.tell("end");
                holder.awaitOutput("let go");
                assertThat(holder.output()).doesNotContain("WRONG");
            }
            awaitStandby(follower);
            assertThat(standbyVersion()).isEqualTo(version);
            end(follower);
        }
        assertSamePages();
    }

    @Test
    void changedPageSize_isCopied() throws Exception {
        try (ChildProcess follower = follow(false);
                ChildProcess reader = ChildProcess.start(folder.resolve("reader"), StandbyReader.class, standby)) {
            awaitStandby(follower);
            for (int pageSize : new int[] {1024, 8192}) {
                connection.close();
                litestream.close();
                try (Connection alone = plain()) {
                    execute(alone, "PRAGMA journal_mode=DELETE", "PRAGMA page_size=" + pageSize, "VACUUM");
                    execute(alone, "PRAGMA journal_mode=WAL");
                }
                attach();
                write(500);
                awaitStandby(follower);
                assertThat(standbyVersion()).isEqualTo(version);
            }
            end(follower);
            end(reader);
            assertThat(follower.output()).contains("state COPIED");
        }
        assertSamePages();
    }

    @Test
    void somebodyWrote_needsForce() throws Exception {
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + standby)) {
                execute(writer, "PRAGMA busy_timeout=10");
                assertThatThrownBy(() -> execute(writer, "DELETE FROM t")).hasMessageContaining("locked");
            }
            end(follower);
        }
        try (Connection writer = DriverManager.getConnection("jdbc:sqlite:" + standby)) {
            execute(writer, "UPDATE t SET v = v");
        }
        try (ChildProcess follower = follow(false)) {
            assertThat(follower.awaitExit(60)).isTrue();
            assertThat(follower.output()).startsWith("failed").contains("another program wrote to it");
        }
        write(250);
        try (ChildProcess follower = follow(true)) {
            awaitStandby(follower);
            end(follower);
        }
        try (ChildProcess follower = follow(true)) {
            awaitStandby(follower);
            end(follower);
            assertThat(follower.output()).as("force keeps a good standby").startsWith("state RESUMED");
        }
        assertSamePages();
    }

    @Test
    void emptyReplica_isReportedUntilItIsBack() throws Exception {
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            end(follower);
        }
        connection.close();
        litestream.close(); // it would write to the replica meanwhile
        Path aside = Files.move(replica, folder.resolve("aside"));
        try (ChildProcess follower = follow(true)) {
            follower.awaitOutput("it is empty, but the standby is at TXID");
            Files.move(aside, replica);
            follower.awaitOutput("recovered");
            end(follower);
            assertThat(follower.output()).doesNotContain("COPIED").containsOnlyOnce("problem");
        }
        assertSamePages();
    }

    @Test
    void standbyIsDeleted_endsTheFollowerAndIsRestoredByTheNext() throws Exception {
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            Files.delete(standby);
            assertThat(follower.awaitExit(60)).as("also without a change").isTrue();
            assertThat(follower.output()).contains("failed").contains(standby + " was deleted, or replaced");
        }
        write(250);
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            end(follower);
            assertThat(follower.output()).startsWith("state RESTORED");
        }
        assertSamePages();
    }

    @Test
    void standbyIsReplaced_endsTheFollowerAndLeavesTheOtherFileAlone() throws Exception {
        Path other = folder.resolve("other.db");
        Files.write(other, new byte[8192]);
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            String position = Files.readString(Path.of(standby + "-txid"));
            Files.move(other, standby, StandardCopyOption.ATOMIC_MOVE);
            write(250);
            database.sync(TIMEOUT);
            assertThat(follower.awaitExit(60)).isTrue();
            assertThat(follower.output()).contains("failed").contains(standby + " was deleted, or replaced");
            assertThat(Path.of(standby + "-txid")).hasContent(position);
        }
        assertThat(standby).hasBinaryContent(new byte[8192]);
        assertThat(standby.getParent().toFile().list()).containsExactlyInAnyOrder("app.db", "app.db-txid");
    }

    @Test
    void secondFollowerAndOwnConnection_areRefused() throws Exception {
        try (ChildProcess follower = follow(false)) {
            awaitStandby(follower);
            try (ChildProcess second = follow(true)) {
                assertThat(second.awaitExit(60)).isTrue();
                assertThat(second.output()).startsWith("failed").contains("follows");
            }
            end(follower);
        }
        try (Connection here = DriverManager.getConnection("jdbc:sqlite:" + standby);
                ReplicaClient client =
                        Replicas.open(ReplicaLocation.of(replica.toUri().toString()))) {
            assertThat(query(here, "SELECT count(*) FROM t")).isPositive();
            assertThatThrownBy(() -> Restore.follow(
                            client, standby, RestoreOptions.defaults(), Duration.ofSeconds(1), new Silent()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("process of its own");
        }
    }

    private static final class Silent implements FollowListener {
        @Override
        public void onState(FollowState state) {}

        @Override
        public void onProblem(IOException problem) {}

        @Override
        public void onRecovered() {}
    }

    @Test
    void killedAFewTimes_isWholeAndGoesOn() throws Exception {
        killAndGoOn(3);
    }

    @Test
    @Tag("crash")
    void killedAtRandomMoments_isWholeAndGoesOn() throws Exception {
        killAndGoOn(Integer.getInteger("cycles", 100));
    }

    private void killAndGoOn(int cycles) throws Exception {
        long seed = Long.getLong("crash.seed", System.nanoTime());
        System.out.println("follower killed: -Dcrash.seed=" + seed + " cycles " + cycles);
        Random random = new Random(seed);
        int rolledBack = 0;
        int between = 0;
        try (ChildProcess reader = ChildProcess.start(folder.resolve("reader"), StandbyReader.class, standby)) {
            for (int cycle = 0; cycle < cycles; cycle++) {
                try (ChildProcess follower = follow(false)) {
                    follower.awaitOutput("state ");
                    int writes = 1 + random.nextInt(12);
                    for (int i = 0; i < writes; i++) {
                        write(100 + random.nextInt(2_000));
                        database.sync(TIMEOUT);
                        if (random.nextInt(4) == 0) {
                            Thread.sleep(random.nextInt(30)); // so that kills come at all moments of an apply
                        }
                    }
                    follower.kill();
                    rolledBack += Files.exists(Path.of(standby + "-journal")) ? 1 : 0;
                    between += Files.exists(Path.of(standby + "-txid.tmp")) ? 1 : 0;
                    assertThat(follower.output()).doesNotContain("failed", "COPIED", "WRONG");
                }
                assertThat(SqliteFixture.integrity(standby)).isEqualTo("ok");
                assertThat(standbyVersion()).isPositive();
            }
            try (ChildProcess follower = follow(false)) {
                awaitStandby(follower);
                end(follower);
            }
            end(reader);
            System.out.println(
                    "journals left " + rolledBack + ", announcements left " + between + "; " + reader.output());
        }
        assertSamePages();
        if (cycles >= 50) {
            assertThat(rolledBack).as("kills in the middle of an apply").isPositive();
        }
    }
}
