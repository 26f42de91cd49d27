package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.ChildProcess;
import org.litestream4j.testing.PagesOfReplica;
import org.litestream4j.testing.SqliteFixture;

/**
 * Restores in place under 32 busy clients, killed at random moments. {@code -Pcrash -Dtest=InPlaceCrashTest -Dcycles=200
 * -Dcrash.seed=…}.
 */
class InPlaceCrashTest {

    @TempDir
    Path folder;

    private final long seed = Long.getLong("crash.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private int restores;
    private int unfinished;
    private int copied;
    private int commits;
    private int kills;

    @Test
    @Tag("crash")
    void killsAtRandomMoments_leaveTheOldOrTheNewState() throws Exception {
        run(Integer.getInteger("cycles", 30));
    }

    @Test
    void aFewKills_leaveTheOldOrTheNewState() throws Exception {
        run(2);
    }

    private void run(int cycles) throws Exception {
        kills = cycles;
        System.out.println("restores in place, killed: -Dcrash.seed=" + seed + " -Dcycles=" + cycles);
        for (int cycle = 1; cycle <= cycles; cycle++) {
            Files.deleteIfExists(folder.resolve("child.log"));
            runChild(false);
            check("cycle " + cycle);
        }
        Files.deleteIfExists(folder.resolve("child.log"));
        String output = runChild(true);
        check("the end");
        assertThat(folder.resolve(".app.db-litestream/restore")).isEmptyDirectory();
        System.out.println("kills " + cycles + ": restores in place " + restores + ", begun and killed " + unfinished
                + ", of them in the new state " + copied + ", commits " + commits + "; the last "
                + output.lines().reduce((first, last) -> last).orElseThrow());
        assertThat(restores).isGreaterThan(cycles);
    }

    private String runChild(boolean untilItsEnd) throws Exception {
        try (ChildProcess child = ChildProcess.start(folder.resolve("child.out"), InPlaceChild.class, folder)) {
            if (untilItsEnd || !Files.exists(folder.resolve("states")) || random.nextInt(5) > 0) {
                child.awaitOutput("child: running");
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(2_500)); // the moment of the kill
            if (untilItsEnd) {
                await().atMost(Duration.ofMinutes(1)).until(() -> restores + restoresOfTheChild() > kills);
                child.tell("stop");
                assertThat(child.awaitExit(120)).as("ends in good order").isTrue();
                assertThat(child.exitCode()).as(child.output()).isZero();
            } else {
                assertThat(child.isAlive()).as(child.output()).isTrue();
                child.kill();
            }
            return child.output();
        }
    }

    /** It is writing still: a line may be half there. */
    private long restoresOfTheChild() throws IOException {
        Path log = folder.resolve("child.log");
        return Files.exists(log)
                ? Files.readString(log)
                        .lines()
                        .filter(line -> line.startsWith("E "))
                        .count()
                : 0;
    }

    private void check(String description) throws Exception {
        Journal journal = Journal.read(folder.resolve("child.log"));
        restores += journal.ends.size();
        commits += journal.commits.size();
        checkDatabase(journal, description);
        checkReplica(description);
        if (!journal.ends.isEmpty()) { // the transactions around one of the restores
            Journal.End end = journal.ends.get(random.nextInt(journal.ends.size()));
            assertThat(epochAt(RestoreTarget.txid(end.before())))
                    .as(description)
                    .isEqualTo(3 - end.epoch());
            assertThat(epochAt(RestoreTarget.txid(end.after()))).as(description).isEqualTo(end.epoch());
        }
    }

    /** On a copy: the files stay as the kill left them. */
    private void checkDatabase(Journal journal, String description) throws Exception {
        Path copy = Files.createTempDirectory(folder, "copy").resolve("app.db");
        for (String suffix : new String[] {"", "-wal"}) {
            Path from = folder.resolve("app.db" + suffix);
            if (Files.exists(from)) {
                Files.copy(from, copy.resolveSibling("app.db" + suffix));
            }
        }
        try (Connection connection = SqliteFixture.dataSource(copy).getConnection()) {
            assertThat(SqliteFixture.text(connection, "PRAGMA integrity_check"))
                    .as(description)
                    .isEqualTo("ok");
            assertThat(InPlaceLoad.problem(connection)).as(description).isEmpty();
            if (journal.epoch == 0) { // killed during its start
                return;
            }
            long epoch = InPlaceLoad.epoch(connection);
            if (journal.begun) {
                unfinished++;
                copied += epoch == journal.epoch ? 0 : 1;
            } else {
                assertThat(epoch).as(description).isEqualTo(journal.epoch);
            }
            if (epoch == journal.epoch) { // nothing of what was committed since is gone
                for (Journal.Commit commit : journal.commits) {
                    if (commit.restores() == journal.ends.size()) {
                        assertThat(query(
                                        connection,
                                        "SELECT count(*) FROM journal WHERE writer = " + commit.writer() + " AND n = "
                                                + commit.number()))
                                .as("%s: %s", description, commit)
                                .isEqualTo(1);
                    }
                }
            }
        } finally {
            SqliteFixture.deleteTree(copy.getParent());
        }
    }

    /** The planner's way and the plainest one lead to the same whole database. */
    private void checkReplica(String description) throws Exception {
        PagesOfReplica pages = new PagesOfReplica(folder.resolve("replica"));
        pages.applyAll();
        Path plain = folder.resolve("plain.db");
        pages.writeTo(plain);
        Path restored = folder.resolve("restored.db");
        restore(RestoreTarget.latest(), restored);
        assertThat(restored).as(description).hasSameBinaryContentAs(plain);
        epoch(restored, description);
    }

    private long epochAt(RestoreTarget target) throws Exception {
        Path restored = folder.resolve("moment.db");
        restore(target, restored);
        return epoch(restored, target.toString());
    }

    private static long epoch(Path database, String description) throws Exception {
        try (Connection connection = SqliteFixture.dataSource(database).getConnection()) {
            assertThat(SqliteFixture.text(connection, "PRAGMA integrity_check"))
                    .as(description)
                    .isEqualTo("ok");
            assertThat(InPlaceLoad.problem(connection)).as(description).isEmpty();
            return InPlaceLoad.epoch(connection);
        }
    }

    private void restore(RestoreTarget target, Path to) throws IOException {
        try (ReplicaClient client = Replicas.open(
                ReplicaLocation.of(folder.resolve("replica").toUri().toString()))) {
            Restore.restore(
                    client,
                    to,
                    RestoreOptions.builder().target(target).force(true).build());
        }
    }

    /** What the child told: where it stood at last. */
    private static final class Journal {
        private final List<Commit> commits = new ArrayList<>();
        private final List<End> ends = new ArrayList<>();
        private int epoch;
        private boolean begun;

        record Commit(int writer, long number, int restores) {}

        record End(int epoch, Txid before, Txid after) {}

        static Journal read(Path path) throws IOException {
            Journal journal = new Journal();
            if (!Files.exists(path)) {
                return journal;
            }
            for (String line : Files.readAllLines(path)) {
                String[] fields = line.split(" ", -1);
                switch (fields[0]) {
                    case "S" -> journal.epoch = Integer.parseInt(fields[1]);
                    case "C" ->
                        journal.commits.add(new Commit(
                                Integer.parseInt(fields[1]), Long.parseLong(fields[2]), Integer.parseInt(fields[3])));
                    case "B" -> journal.begun = true;
                    case "E" -> {
                        journal.begun = false;
                        journal.epoch = Integer.parseInt(fields[2]);
                        journal.ends.add(new End(journal.epoch, Txid.parse(fields[3]), Txid.parse(fields[4])));
                    }
                    default -> assertThat(line).isEmpty();
                }
            }
            return journal;
        }
    }
}
