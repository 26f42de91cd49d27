package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Many readers while the replica grows, shrinks, is merged and retired, and the store fails now and then. */
class ConcurrentReadersTest extends PagesFixture {

    private static final long SEED = 31;

    private final Map<Long, byte[]> images = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger verified = new AtomicInteger();
    private volatile boolean done;

    @Test
    void eachRead_equalsACommittedState_andNoneGoesBack() throws Exception {
        run(60, 6);
    }

    @Test
    @Tag("soak")
    void eachRead_equalsACommittedState_forLong() throws Exception {
        run(2_000, 16);
    }

    private void run(int commits, int threads) throws Exception {
        commit(300, 0);
        model.snapshot(1);
        PageSource newest = open(options()
                        .cacheSize(600_000)
                        .folder(temp.resolve("cache"))
                        .hydrate(true)
                        .deadline(Duration.ofSeconds(20)))
                .newest();
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Random random = new Random(SEED + i);
            Thread reader = new Thread(() -> read(newest, random));
            reader.start();
            readers.add(reader);
        }
        Random random = new Random(SEED);
        long merged = 1;
        for (int i = 2; i <= commits && failures.isEmpty(); i++) {
            commit(250 + random.nextInt(100), 1 + random.nextInt(20));
            if (i % 8 == 0) {
                model.merge(0, 1, merged + 1, i);
                merged = i;
                delete(0, i - 1);
            }
            if (i % 40 == 0) {
                model.snapshot(i);
                delete(1, i - 30);
            }
            client.failAtRandom(i % 20 < 10 ? 0.1 : 0, SEED + i);
            int seen = verified.get();
            Awaitility.await().atMost(TIMEOUT).until(() -> verified.get() > seen || !failures.isEmpty());
        }
        client.failAtRandom(0, SEED);
        done = true;
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(failures).as("seed %s", SEED).isEmpty();
        assertNewest(newest, model.latest(), model.newest());
        assertThat(pages.status().cacheBytes()).isLessThanOrEqualTo(600_000);
    }

    private void commit(int size, int changes) throws IOException {
        model.commit(size, changes);
        images.put(model.newest(), model.latest());
        images.remove(model.newest() - 200);
    }

    private void read(PageSource newest, Random random) {
        long last = 0;
        while (!done && failures.isEmpty()) {
            try {
                PinnedState state = newest.pin();
                long txid = state.info().txid().value();
                assertThat(txid).isGreaterThanOrEqualTo(last);
                last = txid;
                byte[] expected = expected(txid);
                if (expected == null) {
                    continue;
                }
                try {
                    if (random.nextInt(4) == 0) {
                        assertThat(all(state)).as("TXID %s", txid).isEqualTo(expected);
                    } else {
                        assertPieces(state, expected, random, 10);
                    }
                    verified.incrementAndGet();
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining("no longer on the replica");
                }
                state.release();
            } catch (IOException | RuntimeException | Error e) {
                failures.add(e);
            }
        }
    }

    private byte[] expected(long txid) {
        while (!images.containsKey(txid) && txid > model.newest() - 100) {
            Thread.onSpinWait(); // the file is there a moment before its image
        }
        return images.get(txid);
    }
}
