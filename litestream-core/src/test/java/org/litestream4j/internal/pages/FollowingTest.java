package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.restore.ModelReplica;

/** What readers see while files are merged and deleted, and when the replica is begun anew. */
class FollowingTest extends PagesFixture {

    private void beginAnew() throws IOException {
        for (int level = 0; level <= 9; level++) {
            delete(level, Long.MAX_VALUE);
        }
        model = new ModelReplica(files, PAGE, 1234);
    }

    @Test
    void pinnedState_isReadFromMergedFiles_afterItsFilesWereDeleted() throws Exception {
        model.commit(1_000, 0);
        model.snapshot(1);
        for (int i = 0; i < 9; i++) {
            model.commit(1_000, 20);
        }
        PageSource newest = open(options().cacheSize(0)).newest();
        PinnedState pinned = newest.pin();
        PageSource moment = pages.asOf(new Txid(10));
        model.merge(0, 1, 2, 10);
        model.commit(1_000, 20);
        delete(0, 10);
        assertNewest(newest, model.latest(), 11);
        assertThat(all(pinned)).isEqualTo(model.image(10));
        assertThat(all(moment)).isEqualTo(model.image(10));
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    @Test
    void stateFoundAgain_isNotLookedForWithEachRead() throws Exception {
        model.commit(1_000, 0);
        model.snapshot(1);
        for (int i = 0; i < 9; i++) {
            model.commit(1_000, 60);
        }
        PageSource newest = open(options().cacheSize(0)).newest();
        model.merge(0, 1, 2, 10);
        delete(0, 9);
        assertThat(all(newest)).isEqualTo(model.latest());
        for (int i = 0; i < 3; i++) {
            int looks = client.calls(Call.LIST);
            Awaitility.await().atMost(TIMEOUT).until(() -> client.calls(Call.LIST) > looks + 3);
            int before = client.calls(Call.OPEN);
            newest.pin().read(PAGE * (500L + i), ByteBuffer.allocate(PAGE));
            assertThat(client.calls(Call.OPEN) - before).isEqualTo(1);
        }
        model.commit(1_000, 20);
        assertNewest(newest, model.latest(), 11);
    }

    @Test
    void pinnedState_whoseTxidWasMergedAway_isAnErrorThatSaysSo() throws Exception {
        model.commit(1_000, 0);
        for (int i = 0; i < 9; i++) {
            model.commit(1_000, 20);
        }
        open(options().cacheSize(0));
        PinnedState pinned = pages.asOf(new Txid(5)).pin();
        model.merge(0, 1, 1, 10);
        delete(0, 9);
        assertThatThrownBy(() -> all(pinned))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(ReplicaUnavailableException.class)
                .hasMessageContaining("the state of TXID 0000000000000005")
                .hasMessageContaining("no longer on the replica");
    }

    @Test
    void pinnedState_isNotReadFromAnotherHistoryWithItsTxid() throws Exception {
        model.commit(1_000, 0);
        model.commit(1_001, 3);
        PageSource newest = open(options().cacheSize(0)).newest();
        PinnedState pinned = newest.pin();
        beginAnew();
        model.commit(1_000, 0);
        model.commit(1_000, 3);
        assertThatThrownBy(() -> all(pinned))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no longer on the replica");
    }

    @Test
    void replicaBegunAnew_isANewVersion() throws Exception {
        for (int i = 0; i < 5; i++) {
            model.commit(100, 5);
        }
        PageSource newest = open(options()).newest();
        long version = newest.latest().version();
        beginAnew();
        model.commit(90, 3);
        Awaitility.await().atMost(TIMEOUT).until(() -> newest.latest().version() > version);
        assertNewest(newest, model.latest(), 1);
        for (int i = 0; i < 10; i++) {
            model.commit(90, 3);
        }
        assertNewest(newest, model.latest(), 11);
    }

    /** Both histories have files of the same names, sizes and times. */
    @Test
    void replicaOfTheSameListing_isNeverMixedWithTheOneBefore() throws Exception {
        for (int i = 0; i < 3; i++) {
            model.commit(100, 5);
        }
        PageSource newest = open(options()).newest();
        assertThat(all(newest)).isEqualTo(model.latest());
        replaceByTheSameListing();
        model.commit(101, 3);
        Awaitility.await().atMost(TIMEOUT).until(() -> newest.latest().txid().equals(new Txid(4)));
        assertThat(all(newest)).isEqualTo(model.latest());
        assertThat(all(pages.asOf(new Txid(2)))).isEqualTo(model.image(2));
    }

    @Test
    void replicaOfTheSameListing_isSeenWhenItIsRead() throws Exception {
        for (int i = 0; i < 3; i++) {
            model.commit(2_000, 5);
        }
        PageSource newest = open(options().cacheSize(0).readAhead(0)).newest();
        PinnedState pinned = newest.pin();
        pinned.read(0, ByteBuffer.allocate(100));
        replaceByTheSameListing();
        assertThatThrownBy(() -> all(pinned)).hasMessageContaining("no longer on the replica");
        Awaitility.await().atMost(TIMEOUT).ignoreExceptions().until(() -> Arrays.equals(all(newest), model.latest()));
    }

    /** The reader sees the change as a whole. */
    private void replaceByTheSameListing() throws IOException {
        byte[][] sizes = new byte[4][];
        for (int i = 1; i <= 3; i++) {
            sizes[i] = model.image(i);
        }
        client.failAtRandom(2, 1);
        for (int level = 0; level <= 9; level++) {
            delete(level, Long.MAX_VALUE);
        }
        model = new ModelReplica(files, PAGE, 7_777, 7_777);
        for (int i = 1; i <= 3; i++) {
            model.commit(sizes[i].length / PAGE, 5);
        }
        client.failAtRandom(0, 1);
    }

    @Test
    void replicaBegunAnew_thatIsAheadWhenItIsSeen_isNeverMixed() throws Exception {
        for (int i = 0; i < 5; i++) {
            model.commit(100, 5);
        }
        PageSource newest = open(options().pollInterval(Duration.ofMillis(1))).newest();
        all(newest);
        beginAnew();
        for (int i = 0; i < 12; i++) {
            model.commit(110, 5);
        }
        assertNewest(newest, model.latest(), 12);
    }

    @Test
    void snapshotsAndMergesWhileReading_giveOnlyCommittedStates() throws Exception {
        Random random = new Random(77);
        model.commit(300, 0);
        model.snapshot(1);
        PageSource newest = open(options().cacheSize(200_000)).newest();
        long merged = 1;
        for (int i = 2; i <= 120; i++) {
            model.commit(250 + random.nextInt(100), 10);
            if (i % 10 == 0) {
                model.merge(0, 1, merged + 1, i);
                merged = i;
                delete(0, i - 1);
            }
            if (i % 50 == 0) {
                model.snapshot(i);
                delete(9, i - 1);
                delete(1, i);
            }
            if (i % 3 == 0) {
                PinnedState pinned = newest.pin();
                long txid = pinned.info().txid().value();
                byte[] seen;
                try {
                    seen = all(pinned);
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining("no longer on the replica");
                    continue;
                }
                assertThat(seen).as("TXID %s", txid).isEqualTo(model.image(txid));
            }
        }
        assertNewest(newest, model.latest(), 120);
    }

    @Test
    void idleReplica_isListedOnceForEachPoll() throws Exception {
        model.commit(100, 0);
        model.commit(100, 1);
        open(options()).newest();
        int before = client.calls(Call.LIST);
        int opens = client.calls(Call.OPEN);
        Awaitility.await().atMost(TIMEOUT).until(() -> client.calls(Call.LIST) > before + 20);
        assertThat(client.calls(Call.OPEN)).isEqualTo(opens);
        assertThat(pages.status().requests()).isLessThanOrEqualTo(client.calls(Call.LIST) + opens);
    }

    @Test
    void staleReplica_isNotRead() throws Exception {
        model.commit(100, 0);
        PageSource newest = open(options().maxStaleness(Duration.ofMillis(300))).newest();
        all(newest);
        client.failAtRandom(2, 1);
        Awaitility.await().atMost(TIMEOUT).untilAsserted(() -> assertThatThrownBy(newest::pin)
                .isInstanceOf(StaleReplicaException.class)
                .hasMessageContaining("at most 300 ms are allowed")
                .hasMessageContaining("random fault"));
        assertThat(pages.status().problem()).contains("random fault");
        client.failAtRandom(0, 1);
        Awaitility.await().atMost(TIMEOUT).ignoreExceptions().untilAsserted(() -> assertThat(all(newest))
                .isEqualTo(model.latest()));
        assertThat(pages.status().problem()).isNull();
    }

    @Test
    void close_endsTheFirstPlanOfAStoreThatIsDown() throws Exception {
        model.commit(100, 0);
        open(options().deadline(Duration.ofMinutes(5)));
        client.failAtRandom(2, 1);
        Thread reader = new Thread(() -> {
            try {
                pages.newest();
            } catch (IOException e) {
                // closed
            }
        });
        reader.start();
        Awaitility.await().atMost(TIMEOUT).until(() -> client.calls(Call.LIST) > 0);
        Thread closer = new Thread(() -> {
            try {
                pages.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        closer.start();
        closer.join(TIMEOUT.toMillis());
        assertThat(closer.isAlive()).isFalse();
        reader.join(TIMEOUT.toMillis());
        assertThat(reader.isAlive()).isFalse();
    }

    @Test
    void awaitTxid_endsAfterTheTime() throws Exception {
        model.commit(100, 0);
        open(options());
        assertThat(pages.awaitTxid(new Txid(1), Duration.ZERO)).isTrue();
        assertThat(pages.awaitTxid(new Txid(2), Duration.ofMillis(30))).isFalse();
    }
}
