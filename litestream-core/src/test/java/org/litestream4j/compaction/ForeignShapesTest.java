package org.litestream4j.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaUpload;

/** Levels with files that lie inside others, at random, as other programs may leave them. */
class ForeignShapesTest extends CompactionFixture {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void filesInsideOthers_areNeitherGapsNorReasonsToDelete(long seed) throws Exception {
        run(seed);
    }

    @Test
    void filesInsideOthers_areNeitherGapsNorReasonsToDelete_otherwiseEachTime() throws Exception {
        long seed = System.nanoTime();
        System.err.println("foreign shapes: seed " + seed);
        run(seed);
    }

    private void run(long seed) throws Exception {
        Random random = new Random(seed);
        for (int round = 0; round < 12; round++) {
            commit(2 + random.nextInt(8), Duration.ofSeconds(1));
            compaction.run(random.nextBoolean());
            if (random.nextInt(4) == 0) {
                database.publishSnapshot(compaction);
            }
            addInside(1 + random.nextInt(3), random);
            compaction = compaction(replica, SETTINGS, LocalLevel0.NONE); // lists the replica
            clock.advance(Duration.ofMinutes(1 + random.nextInt(random.nextBoolean() ? 10 : 3000)));
            compaction.run(random.nextBoolean());
            Validation.Result result = Validation.run(replica, false, () -> false);
            assertThat(result.problems())
                    .as("seed %d, round %d", seed, round)
                    .allMatch(problem -> problem.kind() == Validation.Kind.CONTAINED);
            database.assertRestorable(replica, replica.all(), database.txid());
        }
    }

    /** Adds files with other names inside the files of a level. Their content is never read. */
    private void addInside(int level, Random random) throws IOException {
        List<LtxFileName> names = List.copyOf(replica.names(level));
        for (int i = 0; !names.isEmpty() && i < 3; i++) {
            LtxFileName outer = names.get(random.nextInt(names.size()));
            long min = outer.min().value()
                    + random.nextInt((int) (outer.max().value() - outer.min().value()) + 1);
            long max = min + random.nextInt((int) (outer.max().value() - min) + 1);
            LtxFileName inner = name(min, max);
            if (!replica.names(level).contains(inner)) {
                try (ReplicaUpload upload = replica.write(level, inner, clock.instant())) {
                    upload.write(new byte[200]);
                    upload.publish();
                }
            }
        }
    }
}
