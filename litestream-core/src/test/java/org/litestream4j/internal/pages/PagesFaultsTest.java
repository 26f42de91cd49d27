package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxPageIndex;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.ModelReplica;
import org.litestream4j.restore.RestoreException;

/** A store that fails, is slow, or holds damaged files. */
class PagesFaultsTest extends PagesFixture {

    private Path path(int level, long min, long max) {
        return temp.resolve("replica/ltx/" + level)
                .resolve(ModelReplica.name(min, max).toString());
    }

    @Test
    void faultsAtRandom_areRetried() throws Exception {
        model.commit(1_500, 0);
        for (int i = 0; i < 5; i++) {
            model.commit(1_500, 30);
        }
        open(options().deadline(Duration.ofSeconds(20)).cacheSize(300_000));
        PageSource source = pages.asOf(new Txid(6));
        client.failAtRandom(0.3, 5).readShort(6);
        assertThat(all(source)).isEqualTo(model.latest());
    }

    @Test
    void storeThatIsDown_isUnavailableAfterTheDeadline_andReadsGoOnLater() throws Exception {
        model.commit(2_000, 0);
        open(options().deadline(Duration.ofMillis(200)));
        PinnedState state = pages.asOf(new Txid(1)).pin();
        client.failAtRandom(2, 1);
        ByteBuffer page = ByteBuffer.allocate(PAGE);
        assertThatThrownBy(() -> state.read(1_500 * PAGE, page))
                .isInstanceOf(ReplicaUnavailableException.class)
                .hasMessageContaining("within 200 ms");
        client.failAtRandom(0, 1);
        assertThat(all(state)).isEqualTo(model.latest());
    }

    @Test
    void storeThatDoesNotAnswer_isUnavailableAfterTheDeadline() throws Exception {
        model.commit(2_000, 0);
        open(options().deadline(Duration.ofMillis(200)));
        PinnedState state = pages.asOf(new Txid(1)).pin();
        CountDownLatch answer = new CountDownLatch(1);
        client.before(Call.OPEN, 1, () -> {
            try {
                answer.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        assertThatThrownBy(() -> state.read(1_500 * PAGE, ByteBuffer.allocate(PAGE)))
                .isInstanceOf(ReplicaUnavailableException.class);
        answer.countDown();
        assertThat(all(state)).isEqualTo(model.latest());
    }

    @Test
    void refusal_isAnErrorAtOnce() throws Exception {
        model.commit(2_000, 0);
        open(options());
        PinnedState state = pages.asOf(new Txid(1)).pin();
        client.before(Call.OPEN, 1, () -> {
            throw new ReplicaAccessException("file:///x", "no permission", "give it", null);
        });
        assertThatThrownBy(() -> state.read(1_500 * PAGE, ByteBuffer.allocate(PAGE)))
                .isInstanceOf(ReplicaAccessException.class);
    }

    @Test
    void interruptedReader_readsOn_andHarmsNobody() throws Exception {
        model.commit(2_000, 0);
        open(options());
        PinnedState state = pages.asOf(new Txid(1)).pin();
        AtomicReference<Object> result = new AtomicReference<>();
        Thread reader = new Thread(() -> {
            Thread.currentThread().interrupt();
            try {
                result.set(all(state));
            } catch (IOException | RuntimeException | Error e) {
                result.set(e);
            }
            if (!Thread.currentThread().isInterrupted()) {
                result.set("the interrupt was lost");
            }
        });
        reader.start();
        reader.join();
        assertThat(result.get()).isEqualTo(model.latest());
        assertThat(all(state)).isEqualTo(model.latest());
    }

    @Test
    void readersOfTheSamePages_causeOneRequest() throws Exception {
        model.commit(3_000, 0);
        open(options().readAhead(0));
        PageSource source = pages.asOf(new Txid(1));
        int before = client.calls(Call.OPEN);
        CountDownLatch begun = new CountDownLatch(1);
        client.before(Call.OPEN, 1, () -> {
            try {
                begun.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        List<Thread> readers = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Thread reader = new Thread(() -> {
                try {
                    ByteBuffer page = ByteBuffer.allocate(PAGE);
                    source.pin().read(2_500 * PAGE, page);
                    assertThat(page.array()).isEqualTo(Arrays.copyOfRange(model.latest(), 2_500 * PAGE, 2_501 * PAGE));
                } catch (IOException | AssertionError e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            });
            reader.start();
            readers.add(reader);
        }
        begun.countDown();
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(failures).isEmpty();
        assertThat(client.calls(Call.OPEN) - before).isEqualTo(1);
    }

    @Test
    void fileReplacedUnderItsName_isNotMixed() throws Exception {
        model.commit(2_000, 0);
        open(options().cacheSize(0));
        PinnedState state = pages.asOf(new Txid(1)).pin();
        state.read(0, ByteBuffer.allocate(PAGE));
        byte[] other;
        try (ReplicaClient elsewhere =
                org.litestream4j.replica.file.FileReplicaProvider.at(temp.resolve("elsewhere"))) {
            ModelReplica another = new ModelReplica(elsewhere, PAGE, 55);
            another.commit(2_000, 0);
            try (InputStream in = elsewhere.open(0, ModelReplica.name(1, 1), 0, ReplicaClient.TO_END)) {
                other = in.readAllBytes();
            }
        }
        Files.delete(path(0, 1, 1));
        Files.write(path(0, 1, 1), other);
        assertThatThrownBy(() -> all(state)).isInstanceOf(IOException.class).hasMessageContaining("0/");
    }

    @Test
    void fileReplacedByAShorterOne_isGoneAndNotUnavailable() throws Exception {
        model.commit(2_000, 0);
        open(options().cacheSize(0));
        PinnedState state = pages.asOf(new Txid(1)).pin();
        delete(0, 1);
        model = model.fork(0, 55);
        model.commit(1_000, 0);
        assertThatThrownBy(() -> state.read(1_900 * PAGE, ByteBuffer.allocate(PAGE)))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(ReplicaUnavailableException.class)
                .hasMessageContaining("no longer on the replica");
    }

    @Test
    void damagedPage_doesNotHarmItsNeighbours() throws Exception {
        model.commit(2_000, 0);
        Path file = path(0, 1, 1);
        byte[] bytes = Files.readAllBytes(file);
        LtxPageIndex index = LtxPageIndex.parse(bytes, bytes.length, LtxHeader.parse(bytes, "test"), "test");
        bytes[(int) index.offset(1_000)] ^= 1; // the frame's page number
        Files.write(file, bytes);
        open(options());
        PinnedState state = pages.asOf(new Txid(1)).pin();
        for (int at : new int[] {997, 998, 999, 1_001, 1_002, 1_003}) {
            ByteBuffer page = ByteBuffer.allocate(PAGE);
            state.read((long) at * PAGE, page);
            assertThat(page.array()).isEqualTo(Arrays.copyOfRange(model.latest(), at * PAGE, (at + 1) * PAGE));
        }
        assertThatThrownBy(() -> state.read(1_000 * PAGE, ByteBuffer.allocate(PAGE)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("bring back that file");
    }

    @Test
    void damagedFrame_isAnErrorThatNamesFileAndOffset() throws Exception {
        model.commit(2_000, 0);
        Path file = path(0, 1, 1);
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, 300_000, 300_400, (byte) 0xFF);
        Files.write(file, bytes);
        open(options());
        PinnedState state = pages.asOf(new Txid(1)).pin();
        assertThatThrownBy(() -> all(state))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("0/" + ModelReplica.name(1, 1))
                .hasMessageContaining("at offset ")
                .hasMessageContaining("bring back that file");
    }

    @Test
    void damagedFile_isLeftOutIfOthersLeadToTheSameState() throws Exception {
        model.commit(100, 0);
        model.commit(100, 5);
        model.commit(100, 5);
        model.merge(0, 1, 2, 3);
        byte[] bytes = Files.readAllBytes(path(1, 2, 3));
        bytes[bytes.length / 2] ^= 1;
        Files.write(path(1, 2, 3), bytes);
        open(options());
        assertThat(all(pages.newest())).isEqualTo(model.latest());

        Files.write(path(0, 2, 2), bytes);
        assertThatThrownBy(() -> pages.asOf(new Txid(3)))
                .isInstanceOf(RestoreException.class)
                .hasMessageContaining("at offset ")
                .hasMessageContaining("bring back that file");
    }

    /** A small file is verified whole, so that each flip and each cut is found. */
    @Test
    void damageOfSmallFiles_givesAnErrorOrTheRightData() throws Exception {
        long seed = 20261130;
        Random random = new Random(seed);
        model.commit(60, 0);
        model.commit(60, 8);
        List<Path> files = List.of(path(0, 1, 1), path(0, 2, 2));
        int errors = 0;
        for (int i = 0; i < 400; i++) {
            Path file = files.get(random.nextInt(2));
            byte[] good = Files.readAllBytes(file);
            byte[] bad = good.clone();
            if (random.nextInt(10) == 0) {
                bad = Arrays.copyOf(good, random.nextInt(good.length));
            } else if (random.nextInt(10) == 0) {
                bad = Files.readAllBytes(files.get(1 - files.indexOf(file)));
            } else {
                bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(file, bad);
            try (ReplicaPages damaged = ReplicaPages.open(
                    client(), options().deadline(Duration.ofMillis(100)).build())) {
                assertThat(all(damaged.asOf(new Txid(2))))
                        .as("seed %s, round %s", seed, i)
                        .isEqualTo(model.latest());
            } catch (IOException e) {
                errors++;
            }
            Files.write(file, good);
        }
        assertThat(errors).isGreaterThan(200);
    }

    /** Of a large file, each flip is found outside the compressed pages, for which the format has no checksum. */
    @Test
    void damageOfLargeFiles_givesAnErrorOrTheRightData() throws Exception {
        long seed = 20261201;
        Random random = new Random(seed);
        model.commit(1_200, 0);
        Path file = path(0, 1, 1);
        byte[] good = Files.readAllBytes(file);
        List<Integer> places = new ArrayList<>();
        LtxHeader header = LtxHeader.parse(good, "test");
        LtxPageIndex index = LtxPageIndex.parse(good, good.length, header, "test");
        for (int i = 0; i < 100; i++) {
            places.add(random.nextInt(32)); // flags, page size, size of the database, TXIDs
            places.add((int) index.offset(random.nextInt(index.size())) + random.nextInt(10));
            places.add((int) index.offset(index.size() - 1)
                    + index.frameSize(index.size() - 1)
                    + random.nextInt(good.length - (int) index.offset(index.size() - 1) - 600));
        }
        int errors = 0;
        for (int place : places) {
            byte[] bad = good.clone();
            bad[place] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, bad);
            try (ReplicaPages damaged = ReplicaPages.open(
                    client(), options().deadline(Duration.ofMillis(100)).build())) {
                assertThat(all(damaged.asOf(new Txid(1))))
                        .as("seed %s, place %s", seed, place)
                        .isEqualTo(model.latest());
            } catch (IOException e) {
                errors++;
            }
        }
        assertThat(errors).isGreaterThan(200);
    }

    private ReplicaClient client() {
        return org.litestream4j.replica.file.FileReplicaProvider.at(temp.resolve("replica"));
    }

    @Test
    void largeFileCutShort_isAnError() throws Exception {
        model.commit(2_000, 0);
        open(options());
        PinnedState state = pages.asOf(new Txid(1)).pin();
        Path file = path(0, 1, 1);
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> all(state)).isInstanceOf(IOException.class);
    }

    @Test
    void memory_isBoundedByTheCache() throws Exception {
        model.commit(8_000, 0);
        open(options().cacheSize(512 << 10));
        assertThat(all(pages.asOf(new Txid(1)))).isEqualTo(model.latest());
        assertThat(pages.status().cacheBytes()).isBetween(1L, 512L << 10);
    }

    @Test
    void pagesAroundTheLockPage_areReadAndItselfIsZeros() throws Exception {
        int pageSize = 65536;
        long lock = org.litestream4j.ltx.LockPage.pgno(pageSize);
        model = new ModelReplica(files, pageSize, 1);
        model.commit(1, 0);
        java.util.SortedMap<Long, byte[]> written = new java.util.TreeMap<>();
        for (long pgno : new long[] {lock - 1, lock + 1, lock + 2}) {
            written.put(pgno, model.page());
        }
        byte[] bytes = ModelReplica.encode(model.header(2, 2, lock + 2), written);
        model.put(0, 2, 2, bytes);
        open(options());
        PinnedState state = pages.asOf(new Txid(2)).pin();
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        expected.write(written.get(lock - 1));
        expected.write(new byte[pageSize]);
        expected.write(written.get(lock + 1));
        expected.write(written.get(lock + 2));
        ByteBuffer target = ByteBuffer.allocate(5 * pageSize);
        assertThat(state.read((lock - 2) * pageSize, target)).isEqualTo(4 * pageSize);
        assertThat(Arrays.copyOf(target.array(), 4 * pageSize)).isEqualTo(expected.toByteArray());
        assertThatThrownBy(() -> state.read(pageSize, ByteBuffer.allocate(1)))
                .hasMessageContaining("page 2 is in none of the files");
    }
}
