package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.internal.pages.HydrationStatus.Phase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.restore.ModelReplica;

/** A local copy of the whole database, from which all states read what they share with it. */
class HydrationTest extends PagesFixture {

    private Path folder;

    @BeforeEach
    void nameFolder() {
        folder = temp.resolve("cache");
    }

    private PagesOptions.Builder hydrated() {
        return options().folder(folder).hydrate(true).cacheSize(0).readAhead(0);
    }

    static void awaitDone(ReplicaPages pages) {
        Awaitility.await()
                .atMost(PagesFixture.TIMEOUT)
                .until(() -> pages.status().hydration().phase() == Phase.DONE);
        assertThat(pages.status().hydration().fraction()).isEqualTo(1);
    }

    private List<Path> databases() throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".db")).toList();
        }
    }

    @Test
    void allStates_areReadWithoutARequest_asFarAsTheirPagesAreLocal() throws Exception {
        model.commit(2_000, 0);
        for (int i = 0; i < 5; i++) {
            model.commit(2_000, 10);
        }
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        int before = client.calls(Call.OPEN);
        assertThat(all(newest)).isEqualTo(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(before);

        PageSource second = pages.asOf(new Txid(2));
        assertThat(all(second)).isEqualTo(model.image(2));
        assertThat(client.calls(Call.OPEN) - before)
                .as("only the pages changed since")
                .isLessThan(100);

        model.commit(1_990, 10);
        model.commit(2_100, 10);
        assertNewest(newest, model.latest(), model.newest());
        assertThat(all(second)).isEqualTo(model.image(2));
    }

    @Test
    void copy_followsWhenMuchHasChanged_andServesOlderStates() throws Exception {
        model.commit(500, 0);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        Path first = databases().get(0);
        PinnedState pinned = newest.pin();
        for (int i = 0; i < 20; i++) {
            model.commit(480 + 2 * i, 40);
        }
        Awaitility.await()
                .atMost(TIMEOUT)
                .until(() -> !databases().contains(first) && databases().size() == 1);
        assertNewest(newest, model.latest(), model.newest());
        assertThat(all(pinned)).isEqualTo(model.image(1));
        for (long txid = 1; txid <= model.newest(); txid += 3) {
            assertThat(all(pages.asOf(new Txid(txid)))).isEqualTo(model.image(txid));
        }
    }

    @Test
    void secondRun_verifiesAndUsesTheFile() throws Exception {
        model.commit(2_000, 0);
        model.commit(2_000, 10);
        open(hydrated()).newest();
        awaitDone(pages);
        pages.close();
        Path file = databases().get(0);

        model.commit(2_000, 10);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        assertThat(databases()).containsExactly(file);
        assertThat(client.bytesRead()).isLessThan(200_000);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    @Test
    void damagedFile_isMadeAnew() throws Exception {
        model.commit(2_000, 0);
        open(hydrated()).newest();
        awaitDone(pages);
        pages.close();
        Path file = databases().get(0);
        try (RandomAccessFile damaged = new RandomAccessFile(file.toFile(), "rw")) {
            damaged.seek(700_000);
            int value = damaged.read();
            damaged.seek(700_000);
            damaged.write(value ^ 1);
        }
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
        assertThat(client.bytesRead()).isGreaterThan(500_000);
    }

    @Test
    void fileOfAnotherHistory_isNotUsed() throws Exception {
        model.commit(1_000, 0);
        model.commit(1_000, 1);
        open(hydrated()).newest();
        awaitDone(pages);
        pages.close();
        beginAnew(99);
        model.commit(1_000, 0);
        model.commit(1_000, 1);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    private void beginAnew(long seed) throws IOException {
        for (int level = 0; level <= 9; level++) {
            delete(level, Long.MAX_VALUE);
        }
        model = new ModelReplica(files, PAGE, seed);
    }

    /** Both histories have the same snapshot, and what follows it differs. */
    @Test
    void replicaThatForked_isNotReadFromTheImageOfTheOtherHistory() throws Exception {
        model.commit(500, 0);
        for (int i = 2; i <= 5; i++) {
            model.commit(500, 40);
        }
        model.snapshot(5);
        delete(0, 5);
        for (int i = 6; i <= 10; i++) {
            model.commit(500, 40);
        }
        model.merge(0, 1, 6, 10);
        delete(0, 10);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());

        client.failAtRandom(2, 1); // the change is seen as a whole
        delete(1, 10);
        model = model.fork(5, 4711);
        for (int i = 6; i <= 12; i++) {
            model.commit(500 + i, 20); // the sizes tell the histories apart, as the times do outside of a model
        }
        client.failAtRandom(0, 1);
        assertNewest(newest, model.latest(), 12);
        for (long txid = 5; txid <= 12; txid++) {
            PageSource moment = pages.asOf(new Txid(txid));
            assertThat(all(moment)).as("TXID %s", txid).isEqualTo(model.image(txid));
        }
        model.commit(512, 200);
        assertNewest(newest, model.latest(), 13);
        awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    /** The copy ends with a transaction whose pages differ in the snapshot that the replica has now. */
    @Test
    void fileOfAnotherHistory_isNotUsedIfOnlyASnapshotIsLeft() throws Exception {
        model.commit(1_000, 0);
        model.commit(1_010, 0);
        open(hydrated()).newest();
        awaitDone(pages);
        pages.close();

        delete(0, 2);
        model = model.fork(1, 4711);
        model.commit(1_010, 0);
        model.snapshot(2);
        delete(0, 2);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    @Test
    void image_holdsOnlyPagesOfTheSameFiles() throws Exception {
        model.commit(300, 0);
        Random random = new Random(5);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        for (int round = 0; round < 12; round++) {
            long kept = 1 + random.nextInt((int) model.newest());
            client.failAtRandom(2, round);
            for (long txid = kept + 1; txid <= model.newest(); txid++) {
                files.delete(0, List.of(ModelReplica.name(txid, txid)));
            }
            long before = model.newest();
            model = model.fork(kept, 1_000 + round);
            while (model.newest() <= before) {
                model.commit(280 + random.nextInt(40), 10 + 10 * round); // files of other sizes
            }
            client.failAtRandom(0, 1);
            assertNewest(newest, model.latest(), model.newest());
            for (long txid = 1; txid <= model.newest(); txid++) {
                assertThat(all(pages.asOf(new Txid(txid))))
                        .as("round %s, TXID %s", round, txid)
                        .isEqualTo(model.image(txid));
            }
        }
    }

    @Test
    void copyThatCannotBeVerifiedYet_isKept() throws Exception {
        model.commit(2_000, 0);
        open(hydrated()).newest();
        awaitDone(pages);
        pages.close();
        Path file = databases().get(0);

        open(hydrated());
        client.before(Call.OPEN, 1, () -> {
            throw new ReplicaAccessException("file:///x", "no permission", "give it", null);
        });
        PageSource newest = pages.newest();
        awaitDone(pages);
        assertThat(databases()).containsExactly(file);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    @Test
    void copyWithoutARecord_isUsed() throws Exception {
        model.commit(1_000, 0);
        Files.createDirectories(folder.resolve("hydrated-" + StoredIndexes.key(files.url()) + ".state.tmp/x"));
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        int before = client.calls(Call.OPEN);
        assertThat(all(newest)).isEqualTo(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(before);
    }

    /** A restore needs a chain of files from the first transaction on. */
    @Test
    void databaseOfAnotherPageSize_isHydrated() throws Exception {
        model.commit(100, 0);
        model.changePageSize(1024, 300);
        model.commit(300, 3);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        int before = client.calls(Call.OPEN);
        assertThat(all(newest)).isEqualTo(model.latest());
        assertThat(client.calls(Call.OPEN)).isEqualTo(before);
    }

    @Test
    void replicaBegunAnew_isHydratedAgain() throws Exception {
        model.commit(1_000, 0);
        model.commit(1_000, 5);
        model.commit(1_000, 5);
        PageSource newest = open(hydrated()).newest();
        awaitDone(pages);
        long version = newest.latest().version();
        beginAnew(100);
        model.commit(1_000, 0);
        Awaitility.await().atMost(TIMEOUT).until(() -> newest.latest().version() > version);
        assertThat(newest.latest().txid()).isEqualTo(new Txid(1));
        assertThat(all(newest)).isEqualTo(model.latest());
        awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    @Test
    void withoutAFolder_theFileIsTemporary() throws Exception {
        model.commit(1_000, 0);
        PageSource newest = open(hydrated().folder(null)).newest();
        awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
        pages.close();
    }
}
