package org.litestream4j.internal.pages;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pages of one replica: its newest state and any number of moments, through one cache. Thread-safe. Threads are few,
 * belong to this object and end with it.
 *
 * <p>What is verified: a small file (up to 256 KiB) wholly, by its checksum, before a page of it is used; of a larger one
 * the page index, the header of each frame and its size, that the page decompresses exactly, its checksum in the older kind
 * of frames, and that all parts are of one version of the object. LTX files have no checksum for single pages: a changed
 * byte in a compressed page of a large file that still decompresses, or in the header of a large file that is no snapshot,
 * is found only when the file is read whole, as by the hydration.
 */
public final class ReplicaPages implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ReplicaPages.class);

    private static final Duration CLOSING = Duration.ofSeconds(5);

    private final ReadOnlyReplica replica;
    private final PagesOptions options;
    private final PageCounters counters = new PageCounters();
    private final Retries retries;
    private final FetchWorkers workers;

    /** One thread that plans states again for readers, and waits for the others. */
    private final FetchWorkers planning;

    private final PageCache cache;
    private final TreeHints tree = new TreeHints();
    private final PageFetcher fetcher;
    private final FileTable table;
    private final StateFinder states;
    private final Hydration hydration = new Hydration();
    private final PageReader reader;

    /** Held during the first plan of the newest state. */
    private final ReentrantLock opening = new ReentrantLock();

    @GuardedBy("opening")
    private boolean closed;

    private volatile @Nullable NewestState newest;

    private ReplicaPages(ReplicaClient client, PagesOptions options) {
        this.options = options;
        replica = new ReadOnlyReplica(client, counters);
        retries = new Retries(options.deadline());
        workers = new FetchWorkers(options.parallelism(), retries);
        planning = new FetchWorkers(1, retries);
        cache = new PageCache(options.cacheSize());
        fetcher = new PageFetcher(replica, cache, tree, retries, workers, counters, options);
        table = new FileTable(
                new FileParts(replica, workers, retries),
                new StoredIndexes(options.folder(), replica.url()),
                fetcher,
                workers,
                options.cacheSize());
        states = new StateFinder(replica, table, retries);
        reader = new PageReader(fetcher, states, retries, hydration);
    }

    /**
     * Prepares to read a replica, without a request.
     *
     * @param client client of the replica; belongs to the returned object, which closes it
     */
    public static ReplicaPages open(ReplicaClient client, PagesOptions options) {
        return new ReplicaPages(client, options);
    }

    /**
     * Returns the newest state, which moves on as files appear. The first call reads the plan and the page indexes, and
     * starts to follow.
     *
     * @throws org.litestream4j.restore.RestoreException if the replica has no state that can be restored
     * @throws ReplicaUnavailableException if the replica did not answer within the deadline
     */
    public PageSource newest() throws IOException {
        return following();
    }

    private NewestState following() throws IOException {
        NewestState present = newest;
        if (present != null) {
            return present;
        }
        opening.lock();
        try {
            present = newest;
            if (present == null) {
                retries.checkOpen();
                long begun = System.nanoTime();
                State first = State.of(states.nextVersion(), states.files(RestoreTarget.latest()));
                present = new NewestState(
                        replica, states, planning, reader, this::readAhead, retries, options, first, begun);
                present.start();
                newest = present;
                table.prune();
                if (options.hydrate()) {
                    hydration.start(
                            present, new LocalCopy(replica, states, fetcher, retries, options, hydration::isStopped));
                }
            }
            return present;
        } finally {
            opening.unlock();
        }
    }

    /**
     * Returns the newest state that is older than a time.
     *
     * @throws org.litestream4j.restore.RestoreException if no such state is on the replica
     */
    public PageSource asOf(Instant time) throws IOException {
        return asOf(RestoreTarget.timestamp(time));
    }

    /**
     * Returns the state after exactly this transaction.
     *
     * @throws org.litestream4j.restore.RestoreException if that state is not on the replica
     */
    public PageSource asOf(Txid txid) throws IOException {
        return asOf(RestoreTarget.txid(txid));
    }

    /**
     * Returns a moment.
     *
     * @throws org.litestream4j.restore.RestoreException if that state is not on the replica
     */
    public PageSource asOf(RestoreTarget target) throws IOException {
        State state = State.of(states.nextVersion(), states.pastFiles(target));
        return new Moment(new StateFiles(state, states, planning), reader, this::readAhead, retries);
    }

    private ReadAhead readAhead() {
        return new ReadAhead(fetcher, tree, options.readAhead());
    }

    /**
     * Waits until the newest known state is at or after a TXID, and lists the replica more often meanwhile.
     *
     * @return whether it is; false after the time, or if this object was closed
     */
    public boolean awaitTxid(Txid txid, Duration time) throws IOException, InterruptedException {
        return following().await(txid, time);
    }

    /** Returns the status. Does not wait. */
    public PagesStatus status() {
        NewestState present = newest;
        return new PagesStatus(
                present == null ? null : present.latest(),
                present == null ? null : present.problem(),
                counters.cacheHits.sum(),
                counters.cacheMisses.sum(),
                cache.bytes(),
                counters.requests.sum(),
                counters.bytesRead.sum(),
                hydration.status());
    }

    /** Ends all threads and closes the client. Reads fail afterwards. Idempotent. */
    @Override
    public void close() throws IOException {
        retries.close(); // first, as a plan that is being made holds the lock until then
        opening.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            NewestState present = newest;
            if (present != null) {
                present.close(CLOSING);
            }
            hydration.close(CLOSING);
            planning.close();
            workers.close();
        } finally {
            opening.unlock();
        }
        try {
            replica.close();
        } finally {
            if (!workers.awaitEnd(CLOSING) || !planning.awaitEnd(CLOSING)) {
                log.warn("{}: a request still runs after the read replica was closed", replica.url());
            }
        }
    }
}
