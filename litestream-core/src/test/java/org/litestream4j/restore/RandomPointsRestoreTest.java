package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;

/** A long history with all levels, restored to a thousand of its moments. */
@Tag("slow")
class RandomPointsRestoreTest {

    private static final long SEED = 20261124;

    private static final int STATES = 500;

    @TempDir
    Path temp;

    @Test
    void restore_thousandRandomPoints_areExact() throws IOException {
        Random random = new Random(SEED);
        try (ReplicaClient client = FileReplicaProvider.at(temp.resolve("replica"))) {
            ModelReplica model = new ModelReplica(client, 512, SEED);
            for (int txid = 1; txid <= STATES; txid++) {
                model.commit(20 + random.nextInt(60), random.nextInt(8));
                mergeLevels(model, txid);
            }
            for (int i = 0; i < 1000; i++) {
                long txid = 1L + random.nextInt(STATES);
                RestoreTarget target = random.nextBoolean()
                        ? RestoreTarget.txid(new Txid(txid))
                        : RestoreTarget.timestamp(ModelReplica.timestamp(txid).plusMillis(1 + random.nextInt(1000)));
                RestoreOptions options = RestoreOptions.builder()
                        .target(target)
                        .parallelism(1 + random.nextInt(8))
                        .force(true)
                        .build();
                RestoreResult result = new RestoreJob(
                                client, temp.resolve("restored.db"), options, 500 + random.nextInt(20_000))
                        .run();
                assertThat(result.txid()).as("seed %d, %s", SEED, target).isEqualTo(new Txid(txid));
                assertThat(result.target()).as("seed %d, %s", SEED, target).hasBinaryContent(model.image(txid));
            }
        }
    }

    private static void mergeLevels(ModelReplica model, int txid) throws IOException {
        if (txid % 5 == 0) {
            model.merge(0, 1, txid - 4L, txid);
        }
        if (txid % 25 == 0) {
            model.merge(1, 2, txid - 24L, txid);
        }
        if (txid % 125 == 0) {
            model.merge(2, 3, txid - 124L, txid);
            model.snapshot(txid);
        }
    }
}
