package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.internal.pages.HydrationStatus.Phase;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.ModelReplica;

/** A hydration that stops in the middle: what is there is read, and the next run continues with it. */
class PartialHydrationTest extends PagesFixture {

    private final AtomicLong allowed = new AtomicLong();
    private final AtomicLong fetched = new AtomicLong();
    private Path folder;

    @BeforeEach
    void nameFolder() {
        folder = temp.resolve("cache");
    }

    /** Opens the replica; the hydration may fetch so many bytes. */
    private PageSource open(long bytes) throws IOException {
        allowed.set(bytes);
        fetched.set(0);
        DelegatingReplica store = new DelegatingReplica(FileReplicaProvider.at(temp.resolve("replica"))) {
            @Override
            public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
                if (Thread.currentThread().getName().startsWith("litestream-pages-hydrate") && length > 100) {
                    if (allowed.addAndGet(-length) < 0) {
                        throw new ReplicaAccessException(url(), "no more", "wait", null);
                    }
                    fetched.addAndGet(length);
                }
                return super.openFile(level, name, offset, length);
            }
        };
        pages = ReplicaPages.open(
                store,
                options()
                        .folder(folder)
                        .hydrate(true)
                        .cacheSize(0)
                        .readAhead(0)
                        .parallelism(4)
                        .build());
        return pages.newest();
    }

    /** Stops after part of the database is there. */
    private PageSource openPartly(long bytes) throws IOException {
        PageSource newest = open(bytes);
        Awaitility.await()
                .atMost(TIMEOUT)
                .until(() -> pages.status().hydration().phase() == Phase.FAILED && fetched.get() > 0);
        assertThat(pages.status().hydration().fraction()).isBetween(0.01, 0.99);
        return newest;
    }

    private List<Path> databases() throws IOException {
        try (var all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(".db")).toList();
        }
    }

    private Path journal() throws IOException {
        try (var all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(".blocks"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** Without a cache, pages that are not local are read from the replica one by one. */
    @Test
    void blocksThatAreThere_areReadWhileOthersAreMissing() throws Exception {
        model.commit(6_000, 0);
        model.commit(6_000, 10);
        PageSource newest = openPartly(1_600_000);
        assertThat(all(newest)).isEqualTo(model.latest());
        long read = pages.status().bytesRead();
        PinnedState state = newest.pin();
        state.read(PAGE * 2_000L, java.nio.ByteBuffer.allocate(PAGE));
        assertThat(pages.status().bytesRead()).as("a page that is local").isEqualTo(read);
        state.read(PAGE * 5_900L, java.nio.ByteBuffer.allocate(PAGE));
        assertThat(pages.status().bytesRead()).as("a page that is not").isGreaterThan(read);
        assertThat(all(pages.asOf(new Txid(1)))).isEqualTo(model.image(1));
    }

    @Test
    void nextRun_fetchesOnlyWhatIsMissing() throws Exception {
        model.commit(6_000, 0);
        openPartly(1_600_000);
        long first = fetched.get();
        pages.close();
        Path file = databases().get(0);

        model.commit(6_000, 30);
        PageSource newest = open(Long.MAX_VALUE);
        HydrationTest.awaitDone(pages);
        assertThat(databases()).containsExactly(file);
        assertThat(fetched.get()).isLessThan(6_000L * (PAGE + 20) - first + 200_000);
        assertThat(all(newest)).isEqualTo(model.latest());
        assertThat(all(pages.asOf(new Txid(1)))).isEqualTo(model.image(1));
        try (var left = Files.list(folder)) {
            assertThat(left).noneMatch(path -> path.toString().endsWith(".blocks"));
        }
    }

    @Test
    void sameRun_continuesAfterAnOutage() throws Exception {
        model.commit(6_000, 0);
        PageSource newest = openPartly(1_600_000);
        long first = fetched.get();
        allowed.set(Long.MAX_VALUE);
        HydrationTest.awaitDone(pages);
        assertThat(fetched.get()).isLessThan(6_000L * (PAGE + 20) + 1).isGreaterThan(first);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    @Test
    void blocksThatWereDamagedOnTheDisk_areFetchedAgain() throws Exception {
        model.commit(6_000, 0);
        openPartly(1_600_000);
        pages.close();
        try (RandomAccessFile damaged = new RandomAccessFile(databases().get(0).toFile(), "rw")) {
            damaged.seek(700_000);
            int value = damaged.read();
            damaged.seek(700_000);
            damaged.write(value ^ 1);
        }
        PageSource newest = open(Long.MAX_VALUE);
        HydrationTest.awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
        assertThat(fetched.get()).isLessThan(3_000_000);
    }

    @Test
    void journalThatIsCutShort_isUsedAsFarAsItIsWhole() throws Exception {
        model.commit(6_000, 0);
        openPartly(1_600_000);
        pages.close();
        byte[] journal = Files.readAllBytes(journal());
        for (int length = 0; length < journal.length; length += journal.length / 7) {
            Files.write(journal(), java.util.Arrays.copyOf(journal, length), StandardOpenOption.TRUNCATE_EXISTING);
            PageSource newest = openPartly(300_000);
            assertThat(all(newest)).isEqualTo(model.latest());
            pages.close();
        }
        PageSource newest = open(Long.MAX_VALUE);
        HydrationTest.awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    @Test
    void blocksOfAnotherHistory_areNotUsed() throws Exception {
        model.commit(6_000, 0);
        openPartly(1_600_000);
        pages.close();
        for (int level = 0; level <= 9; level++) {
            delete(level, Long.MAX_VALUE);
        }
        model = new ModelReplica(files, PAGE, 99, 99); // the same names, sizes and times
        model.commit(6_000, 0);
        PageSource newest = openPartly(1_000_000);
        assertThat(all(newest)).isEqualTo(model.latest());
        allowed.set(Long.MAX_VALUE);
        HydrationTest.awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
    }

    /** A changed byte that decompresses as well is found by the checksum of the file, and nothing of the copy is used. */
    @Test
    void damagedFileOnTheReplica_isNoHydratedDatabase() throws Exception {
        model.commit(6_000, 0);
        model.snapshot(1);
        delete(0, 1);
        Path damaged =
                temp.resolve("replica/ltx/9").resolve(ModelReplica.name(1, 1).toString());
        byte[] bytes = Files.readAllBytes(damaged);
        int frame = 10 + 3 + PAGE; // a random page is stored as one run of literals
        bytes[100 + 4_000 * frame + 13 + 50] ^= 1;
        Files.write(damaged, bytes);
        open(Long.MAX_VALUE);
        Awaitility.await()
                .atMost(TIMEOUT)
                .until(() -> pages.status().hydration().phase() == Phase.FAILED);
        assertThat(pages.status().hydration().problem()).contains("9/").contains("checksum");
        assertThat(databases()).isEmpty();
        long before = fetched.get();
        Awaitility.await().pollDelay(java.time.Duration.ofMillis(2_500)).until(() -> true);
        assertThat(fetched.get())
                .as("a damaged file is not fetched over and over")
                .isEqualTo(before);
    }

    @Test
    void filesThatVanish_areReplacedByOthers_andTheRestIsKept() throws Exception {
        model.commit(6_000, 0);
        model.snapshot(1);
        delete(0, 1);
        for (int i = 2; i <= 5; i++) {
            model.commit(6_000 + i, 400);
        }
        PageSource newest = openPartly(1_600_000);
        long first = fetched.get();
        model.merge(0, 1, 2, 5);
        model.commit(5_990, 300);
        delete(0, 5);
        allowed.set(Long.MAX_VALUE);
        HydrationTest.awaitDone(pages);
        assertNewest(newest, model.latest(), 6);
        assertThat(fetched.get() - first).isLessThan(6_000L * (PAGE + 20) + 1_700_000 - first);
    }

    /** Random histories, interruptions, damage and retention. */
    @Test
    void eachRun_readsTheStatesOfTheModel() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        model.commit(3_000, 0);
        model.snapshot(1);
        delete(0, 1);
        long merged = 1;
        for (int round = 0; round < 12; round++) {
            for (int i = random.nextInt(3); i >= 0; i--) {
                model.commit(2_500 + random.nextInt(1_000), random.nextInt(300));
            }
            if (random.nextInt(3) == 0 && model.newest() > merged) {
                model.merge(0, 1, merged + 1, model.newest());
                delete(0, model.newest());
                merged = model.newest();
            }
            if (random.nextInt(5) == 0) {
                model.snapshot(model.newest());
            }
            if (round > 0 && random.nextBoolean() && !databases().isEmpty()) {
                try (RandomAccessFile damaged =
                        new RandomAccessFile(databases().get(0).toFile(), "rw")) {
                    damaged.seek(random.nextInt((int) damaged.length()));
                    damaged.write(random.nextInt());
                }
            }
            PageSource newest = open(200_000L * random.nextInt(8));
            Awaitility.await()
                    .atMost(TIMEOUT)
                    .until(() -> pages.status().hydration().phase() == Phase.FAILED
                            || pages.status().hydration().phase() == Phase.DONE);
            assertThat(all(newest)).as("seed %s, round %s", seed, round).isEqualTo(model.latest());
            model.commit(2_500 + random.nextInt(1_000), random.nextInt(900));
            allowed.set(400_000L * random.nextInt(8));
            assertNewest(newest, model.latest(), model.newest());
            pages.close();
        }
        PageSource newest = open(Long.MAX_VALUE);
        HydrationTest.awaitDone(pages);
        assertThat(all(newest)).isEqualTo(model.latest());
    }
}
