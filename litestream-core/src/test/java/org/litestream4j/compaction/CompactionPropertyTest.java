package org.litestream4j.compaction;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.testing.ManualClock;

/** Whatever happens in whatever order, every transaction that ends a file of the replica is restorable and exact. */
class CompactionPropertyTest {

    private static final CompactionSettings SETTINGS = new CompactionSettings(
            new Levels(List.of(Duration.ofSeconds(10), Duration.ofSeconds(60))),
            Duration.ofSeconds(30),
            Duration.ofMinutes(5),
            Duration.ofMinutes(10),
            SnapshotKeep.NONE,
            true,
            PageEncoding.BLOCK,
            true);

    enum Step {
        COMMIT,
        COMMITS,
        CAPTURE_WITHOUT_UPLOAD,
        UPLOAD,
        COMPACT,
        COMPACT_ALL,
        SNAPSHOT,
        WAIT_SECONDS,
        WAIT_MINUTES,
        CLOCK_BACK,
        CLOCK_FORWARD,
        CRASH,
        FAULTS
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        return Arbitraries.of(Step.class).list().ofMinSize(20).ofMaxSize(120);
    }

    @Property(tries = 25)
    void everyEndOfAFile_isRestorable(@ForAll("steps") List<Step> steps, @ForAll long seed) throws IOException {
        new Run(seed).all(steps);
    }

    @Property(tries = 2000)
    @Tag("slow")
    void everyEndOfAFile_isRestorableOftener(@ForAll("steps") List<Step> steps, @ForAll long seed) throws IOException {
        new Run(seed).all(steps);
    }

    private static final class Run {
        private final ManualClock clock = new ManualClock();
        private final MemoryReplica replica = new MemoryReplica();
        private final ModelDatabase database;
        private final long seed;
        private final Deque<ModelDatabase.Pending> pending = new ArrayDeque<>();
        private FaultyReplicaClient client = new FaultyReplicaClient(replica);
        private Compaction compaction = start();

        Run(long seed) throws IOException {
            this.seed = seed;
            this.database = new ModelDatabase(clock, seed);
            database.firstImage(replica);
        }

        private Compaction start() {
            return new Compaction(client, SETTINGS, LocalLevel0.NONE, Fence.NONE, clock, clock::nanoTime);
        }

        void all(List<Step> steps) throws IOException {
            for (Step step : steps) {
                take(step);
                database.assertAllRestorable(replica);
            }
            client = new FaultyReplicaClient(replica);
            compaction = start();
            compaction.run(true);
            database.assertAllRestorable(replica);
        }

        private void take(Step step) throws IOException {
            switch (step) {
                case COMMIT -> commit(1);
                case COMMITS -> commit(15);
                case CAPTURE_WITHOUT_UPLOAD -> pending.add(database.capture());
                case UPLOAD -> upload();
                case COMPACT -> attempt(() -> compaction.run(false));
                case COMPACT_ALL -> attempt(() -> compaction.run(true));
                case SNAPSHOT -> {
                    upload();
                    attempt(() -> database.publishSnapshot(compaction));
                }
                case WAIT_SECONDS -> clock.advance(Duration.ofSeconds(7));
                case WAIT_MINUTES -> clock.advance(Duration.ofMinutes(4));
                case CLOCK_BACK -> clock.jump(Duration.ofMinutes(-20));
                case CLOCK_FORWARD -> clock.jump(Duration.ofMinutes(20));
                case CRASH -> {
                    client = new FaultyReplicaClient(replica);
                    compaction = start();
                }
                case FAULTS -> {
                    client = new FaultyReplicaClient(replica).failAtRandom(0.2, seed);
                    compaction = start();
                }
            }
        }

        private void commit(int count) throws IOException {
            upload();
            for (int i = 0; i < count; i++) {
                compaction.uploaded(database.commit(replica));
                clock.advance(Duration.ofSeconds(1));
            }
        }

        private void upload() throws IOException {
            while (!pending.isEmpty()) {
                compaction.uploaded(pending.remove().upload(replica));
            }
        }

        private static void attempt(Action action) {
            try {
                action.run();
            } catch (IOException e) {
                // a fault; the next run goes on
            }
        }
    }

    private interface Action {
        void run() throws IOException;
    }
}
