package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.RequestListener;

/** All levels by as few listings as their size allows, seen by a store whose pages hold a given number of keys. */
class S3ListAllTest {

    private final ListedStore listed = new ListedStore();

    private FaultProxy store;

    private ReplicaClient client;

    @BeforeEach
    void open() throws Exception {
        store = new FaultProxy(0);
        store.faults = listed;
        client = S3TestClients.open(S3Server.location(store.port(), "app", ""), RequestListener.NONE);
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        store.close();
    }

    private static List<Txid> newest(long txid) {
        List<Txid> from = new ArrayList<>();
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            from.add(new Txid(txid));
        }
        return from;
    }

    private void object(String key) {
        listed.objects.put(key, S3TestClients.TIME);
    }

    private void file(int level, long min, long max) {
        object(new S3Keys("app").key(level, new LtxFileName(new Txid(min), new Txid(max))));
    }

    private List<LtxFileInfo> listAll(List<Txid> from) throws Exception {
        List<LtxFileInfo> files = new ArrayList<>();
        client.listAll(from, files::add);
        return files;
    }

    @Test
    void smallReplica_isOneRequest() throws Exception {
        for (int i = 1; i <= 90; i++) {
            for (int level : new int[] {0, 1, 2, 3, 9}) {
                file(level, i, i);
            }
        }
        assertThat(listAll(ReplicaClient.FROM_THE_FIRST)).hasSize(450);
        assertThat(listAll(newest(90))).hasSize(5);
        assertThat(store.seen).hasSize(2);
    }

    @Test
    void emptyReplica_isOneRequest() throws Exception {
        assertThat(listAll(ReplicaClient.FROM_THE_FIRST)).isEmpty();
        assertThat(store.seen).hasSize(1);
    }

    @Test
    void largeReplica_newestFilesOnly_jumpsOverTheOld() throws Exception {
        for (int i = 1; i <= 5000; i++) {
            for (int level : new int[] {0, 1, 2}) {
                file(level, i, i);
            }
        }
        file(9, 1, 1);
        assertThat(listAll(newest(5000))).hasSize(3);
        assertThat(store.seen).hasSizeLessThanOrEqualTo(4); // 15,001 objects
    }

    @Test
    void otherObjects_areJumpedOverAndIgnored() throws Exception {
        listed.pageSize = 10;
        for (int i = 0; i < 100; i++) {
            object("app/-before/" + i);
            object("app/0000-beside/" + i);
            object("app/sub/0000/" + new LtxFileName(new Txid(1), new Txid(1L + i)));
            object("apple/0000/" + new LtxFileName(new Txid(1), new Txid(1L + i)));
        }
        file(0, 3, 3);
        file(9, 1, 3);
        assertThat(listAll(ReplicaClient.FROM_THE_FIRST))
                .extracting(file -> file.level() + " " + file.name().max().value())
                .containsExactly("0 3", "9 3");
        assertThat(store.seen).hasSizeLessThanOrEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void anyReplica_listsWhatTheLevelsList(long seed) throws Exception {
        Random random = new Random(seed);
        for (int round = 0; round < 40; round++) {
            listed.objects.clear();
            listed.pageSize = 1 + random.nextInt(8);
            List<Txid> from = new ArrayList<>();
            for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                from.add(new Txid(random.nextInt(20)));
                for (int files = random.nextInt(12); files > 0; files--) {
                    long min = 1L + random.nextInt(20);
                    file(level, min, min + random.nextInt(3));
                }
            }
            object("app/" + random.nextInt(12) + "x");
            List<LtxFileInfo> expected = new ArrayList<>();
            for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                client.list(level, from.get(level), expected::add);
            }
            int single = store.seen.size();
            assertThat(listAll(from)).as("seed %d, round %d", seed, round).isEqualTo(expected);
            assertThat(store.seen.size() - single)
                    .as("seed %d, round %d: a jump at most for each level more", seed, round)
                    .isLessThanOrEqualTo(single + ReplicaClient.SNAPSHOT_LEVEL);
            store.seen.clear();
        }
    }
}
