package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.ChildProcess;

/** What a commit that waits for the replica promises: once it has returned, neither process nor disk are needed any more. */
@Tag("crash")
class DurableKillTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final int ROUNDS = 8;

    @TempDir
    Path folder;

    @Test
    void everyCommitThatReturned_isInTheReplicaAfterAKill() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Path log = folder.resolve("returned.log");
        int returned = 0;
        for (int round = 0; round < ROUNDS; round++) {
            int wanted = returned + 20 + random.nextInt(300);
            Path output = folder.resolve("child.out");
            try (ChildProcess child = ChildProcess.start(output, DurableChild.class, folder, round * 1_000_000L)) {
                await().atMost(TIMEOUT)
                        .until(() -> (Files.exists(log) && lines(log).size() >= wanted) || !child.isAlive());
                assertThat(child.isAlive()).as(child.output()).isTrue();
                child.kill();
            }
            List<String> numbers = lines(log);
            returned = numbers.size();
            Path restored = folder.resolve("restored-" + round + ".db");
            try (ReplicaClient client = Replicas.open(
                    ReplicaLocation.of(folder.resolve("replica").toUri().toString()))) {
                Restore.restore(client, restored, RestoreOptions.defaults());
            }
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored)) {
                for (String number : numbers) {
                    assertThat(query(connection, "SELECT count(*) FROM t WHERE x = " + number))
                            .as("round %d: commit %s has returned", round, number)
                            .isOne();
                }
            }
        }
        System.out.println("commits that returned, all restored: " + returned);
    }

    private static List<String> lines(Path log) throws java.io.IOException {
        return Files.readAllLines(log);
    }
}
