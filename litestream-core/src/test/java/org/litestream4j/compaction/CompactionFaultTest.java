package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.testing.ManualClock;

/** A failure of any call of the replica leaves it restorable, and the next run repairs. */
class CompactionFaultTest {

    private static final CompactionSettings SETTINGS = new CompactionSettings(
            new Levels(List.of(Duration.ofSeconds(10), Duration.ofSeconds(60))),
            Duration.ofSeconds(30),
            Duration.ofMinutes(3),
            Duration.ofMinutes(5),
            SnapshotKeep.NONE,
            true,
            PageEncoding.BLOCK,
            true);

    private final ManualClock clock = new ManualClock();

    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"LIST", "OPEN", "WRITE", "PUBLISH", "DELETE"})
    void failureOfEachCall_isRepairedByTheNextRun(Call call) throws IOException {
        MemoryReplica unharmed = new MemoryReplica();
        FaultyReplicaClient counting = new FaultyReplicaClient(unharmed);
        run(counting, unharmed);
        int total = counting.calls(call);
        assertThat(total).isPositive();
        for (int nth = 1; nth <= total; nth += Math.max(1, total / 12)) {
            int number = nth;
            run(client -> client.failBefore(call, number));
            if (call != Call.OPEN && call != Call.WRITE) {
                run(client -> client.failAfter(call, number));
            }
        }
    }

    private interface Fault {
        void arm(FaultyReplicaClient client);
    }

    private void run(Fault fault) throws IOException {
        MemoryReplica replica = new MemoryReplica();
        FaultyReplicaClient client = new FaultyReplicaClient(replica);
        fault.arm(client);
        run(client, replica);
    }

    /** Some twelve minutes of life. */
    private void run(FaultyReplicaClient client, MemoryReplica files) throws IOException {
        ModelDatabase database = new ModelDatabase(clock, 3);
        Compaction compaction = new Compaction(client, SETTINGS, LocalLevel0.NONE, Fence.NONE, clock, clock::nanoTime);
        database.firstImage(files);
        int failures = 0;
        for (int i = 0; i < 60; i++) {
            for (int j = 0; j < 3; j++) {
                compaction.uploaded(database.commit(files));
                clock.advance(Duration.ofSeconds(4));
            }
            try {
                compaction.refresh();
                if (compaction.isSnapshotDue(database.txid())) {
                    database.publishSnapshot(compaction);
                }
                compaction.run(false);
            } catch (IOException e) {
                failures++;
                database.assertAllRestorable(files);
            }
        }
        database.assertAllRestorable(files);
        assertThat(failures).isLessThanOrEqualTo(1);
        assertThat(Validation.run(files, true, () -> false).problems()).isEmpty();
        assertThat(files.files()).isLessThan(100);
    }

    @Test
    void brokenStreams_goOnWhereTheyBroke() throws IOException {
        MemoryReplica replica = new MemoryReplica();
        FaultyReplicaClient client = new FaultyReplicaClient(replica).readShort(5);
        for (int nth = 1; nth < 40; nth += 2) {
            client.breakStream(nth, 70);
        }
        run(client, replica);
    }
}
