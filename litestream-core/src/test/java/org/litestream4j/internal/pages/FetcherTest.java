package org.litestream4j.internal.pages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.internal.pages.FetchWorkers.Urgency;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.RestoreTarget;

/** The order of requests, and threads that cannot be started. */
class FetcherTest extends PagesFixture {

    private final Retries retries = new Retries(Duration.ofSeconds(10));
    private final FetchWorkers loading = new FetchWorkers(1, retries);
    private final List<Long> offsets = new CopyOnWriteArrayList<>();
    private volatile CountDownLatch answer = new CountDownLatch(0);
    private volatile boolean refuses;
    private volatile boolean endsEarly;
    private StateFinder states;
    private FetchWorkers workers;
    private PageFetcher fetcher;
    private ReplicaFile file;

    private void open(ThreadFactory threads) throws IOException {
        model.commit(2_000, 0);
        prepare(threads);
        file = states.files(RestoreTarget.latest()).get(0);
        offsets.clear();
    }

    private void prepare(ThreadFactory threads) {
        ReadOnlyReplica replica = new ReadOnlyReplica(
                new DelegatingReplica(FileReplicaProvider.at(temp.resolve("replica"))) {
                    @Override
                    public OpenedFile openFile(int level, LtxFileName name, long offset, long length)
                            throws IOException {
                        offsets.add(offset);
                        try {
                            answer.await();
                        } catch (InterruptedException e) {
                            throw new IOException(e);
                        }
                        if (refuses) {
                            throw new ReplicaAccessException(url(), "no permission", "give it", null);
                        }
                        if (endsEarly) {
                            return new OpenedFile(InputStream.nullInputStream(), OptionalLong.empty());
                        }
                        return super.openFile(level, name, offset, length);
                    }
                },
                new PageCounters());
        PagesOptions options = options().parallelism(1).build();
        workers = new FetchWorkers(1, retries, threads);
        fetcher = new PageFetcher(
                replica,
                new PageCache(options.cacheSize()),
                new TreeHints(),
                retries,
                workers,
                new PageCounters(),
                options);
        FileTable table = new FileTable(
                new FileParts(replica, loading, retries),
                new StoredIndexes(null, replica.url()),
                fetcher,
                loading,
                options.cacheSize());
        states = new StateFinder(replica, table, retries);
    }

    @AfterEach
    void end() {
        answer.countDown();
        retries.close();
        workers.close();
        loading.close();
    }

    private PageLocation place(int entry) {
        return new PageLocation(file, entry);
    }

    private static Thread thread(Runnable work) {
        Thread thread = new Thread(work, "litestream-pages-test");
        thread.setDaemon(true);
        return thread;
    }

    @Test
    void threadThatCannotBeStarted_isAnErrorOfThisReadAlone() throws Exception {
        AtomicBoolean full = new AtomicBoolean(true);
        open(work -> {
            if (full.get()) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return thread(work);
        });
        assertThatThrownBy(() -> fetcher.page(place(1_000), retries.deadline())).isInstanceOf(OutOfMemoryError.class);
        assertThatThrownBy(() -> fetcher.begin(Urgency.EXPECTED, List.of(place(1_500))))
                .isInstanceOf(OutOfMemoryError.class);
        full.set(false);
        assertThat(fetcher.hasMuchRoom()).isTrue();
        assertThat(fetcher.page(place(1_000), retries.deadline())).hasSize(PAGE);
        assertThat(fetcher.page(place(1_500), retries.deadline())).hasSize(PAGE);
    }

    /** As a store answers for a range that begins after the end of the object. */
    @Test
    void rangeThatEndsEarlyWithoutAVersion_isOfAReplacedFile() throws Exception {
        open(FetcherTest::thread);
        endsEarly = true;
        assertThatThrownBy(() -> fetcher.page(place(1_000), retries.deadline()))
                .isInstanceOf(ReplicaFileChangedException.class);
    }

    @Test
    void filesOfAPlan_areNotRequestedAllAtOnce() throws Exception {
        for (int i = 0; i < 100; i++) {
            model.commit(50, 1);
        }
        prepare(FetcherTest::thread);
        refuses = true;
        assertThatThrownBy(() -> states.files(RestoreTarget.latest())).isInstanceOf(ReplicaAccessException.class);
        loading.close();
        assertThat(loading.awaitEnd(TIMEOUT)).isTrue();
        assertThat(offsets).hasSizeBetween(1, 40);
    }

    @Test
    void pageOfAQueuedRange_isFetchedFirstOnceItIsAwaited() throws Exception {
        open(FetcherTest::thread);
        answer = new CountDownLatch(1);
        fetcher.begin(Urgency.EXPECTED, List.of(place(500)));
        fetcher.begin(Urgency.POSSIBLE, List.of(place(1_000)));
        fetcher.begin(Urgency.EXPECTED, List.of(place(1_500)));
        Thread reader = new Thread(() -> {
            try {
                fetcher.page(place(1_000), retries.deadline());
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        reader.start();
        Awaitility.await().atMost(TIMEOUT).until(() -> reader.getState() == Thread.State.TIMED_WAITING);
        answer.countDown();
        reader.join();
        Awaitility.await().atMost(TIMEOUT).untilAsserted(() -> assertThat(offsets)
                .containsExactly(
                        file.index().offset(500),
                        file.index().offset(1_000),
                        file.index().offset(1_500)));
        Awaitility.await().atMost(TIMEOUT).until(fetcher::hasMuchRoom);
    }
}
