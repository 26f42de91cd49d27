package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;

/** Every state is restored exactly, with few requests. */
class RestoreTest extends RestoreFixture {

    @Test
    void restore_snapshotAndTenSmallFiles_needsOneRequestEachBesideTheListings() throws IOException {
        model.commit(40, 0);
        model.snapshot(1);
        for (int i = 0; i < 10; i++) {
            model.commit(40 + i, 5);
        }
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).hasBinaryContent(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(11 + 1); // and the header of the file that is in the snapshot
        assertThat(client.calls(Call.LIST)).isEqualTo(10);
        assertThat(client.calls(Call.TIMESTAMP)).isZero();
        assertThat(result.files()).isEqualTo(11);
        assertThat(result.txid()).isEqualTo(new Txid(11));
        assertThat(result.timestamp()).isEqualTo(ModelReplica.timestamp(11));
        assertThat(result.pages()).isEqualTo(49);
        assertThat(result.pageSize()).isEqualTo(PAGE);
        assertThat(result.bytesRead()).isEqualTo(client.bytesRead() - LtxHeader.SIZE);
        assertThat(result.movedAside()).isEmpty();
    }

    @Test
    void restore_randomHistories_giveEveryStateExactly() throws IOException {
        for (long seed = 1; seed <= 6; seed++) {
            Random random = new Random(seed);
            ReplicaClient replica = FileReplicaProvider.at(temp.resolve("random" + seed));
            ModelReplica history = new ModelReplica(replica, 512 << random.nextInt(3), seed);
            int states = 12;
            for (int i = 0; i < states; i++) {
                history.commit(1 + random.nextInt(60), random.nextInt(20));
                if (random.nextInt(4) == 0) {
                    history.snapshot(history.newest());
                }
            }
            long middle = 2L + random.nextInt(4);
            history.merge(0, 1, 1, middle);
            history.merge(0, 1, middle + 1, states);
            history.merge(1, 2, 1, states);
            for (long txid = 1; txid <= states; txid++) {
                RestoreOptions options = RestoreOptions.builder()
                        .target(RestoreTarget.txid(new Txid(txid)))
                        .parallelism(1 + random.nextInt(8))
                        .force(true)
                        .build();
                new RestoreJob(replica, target, options, 300 + random.nextInt(5000)).run();
                assertThat(target).as("seed %d, TXID %d", seed, txid).hasBinaryContent(history.image(txid));
            }
            replica.close();
        }
    }

    @Test
    void restore_emptyDatabase_isAnEmptyFile() throws IOException {
        model.commit(3, 0);
        model.put(0, 2, 2, ModelReplica.encode(model.header(2, 2, 0), new TreeMap<>()));
        assertThat(restore(RestoreOptions.defaults()).pages()).isZero();
        assertThat(target).isEmptyFile();
    }

    @Test
    void restore_changedPageSize_beginsAtTheFullImage() throws IOException {
        model.commit(30, 0);
        model.commit(31, 5);
        model.changePageSize(2048, 12);
        model.commit(13, 4);
        assertThat(restoreInParts(RestoreOptions.defaults()).pageSize()).isEqualTo(2048);
        assertThat(target).hasBinaryContent(model.latest());
        restore(RestoreOptions.builder()
                .force(true)
                .target(RestoreTarget.txid(new Txid(2)))
                .build());
        assertThat(target).hasBinaryContent(model.image(2));
    }

    /** An index that does not fit into one array would need 2 GiB; the limit is lower here. */
    @Test
    void restore_pageIndexBeyondTheLimit_readsTheFileFromBeginningToEnd() throws IOException {
        model.commit(300, 0);
        model.commit(200, 30);
        RestoreOptions options = RestoreOptions.builder().parallelism(2).build();
        new RestoreJob(client, target, options, 1500, LtxHeader.SIZE).run();
        assertThat(target).hasBinaryContent(model.latest());
    }
}
