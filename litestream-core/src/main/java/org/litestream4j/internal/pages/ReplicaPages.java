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
    private final Counters counters = new Counters();
    private final Patience patience;
    private final Workers workers;

    /** One thread that plans states again for readers, and waits for the others. */
    private final Workers planning;

    private final PageCache cache;
    private final TreeHints tree = new TreeHints();
    private final Fetcher fetcher;
    private final FileTable table;
    private final States states;
    private final Hydration hydration = new Hydration();
    private final PageReader reader;

    /** Held during the first plan of the newest state. */
    private final ReentrantLock opening = new ReentrantLock();

    @GuardedBy("opening")
    private boolean closed;

    private volatile @Nullable Newest newest;

    private ReplicaPages(ReplicaClient client, PagesOptions options) {
        this.options = options;
        replica = new ReadOnlyReplica(client, counters);
        patience = new Patience(options.deadline());
        workers = new Workers(options.parallelism(), patience);
        planning = new Workers(1, patience);
        cache = new PageCache(options.cacheSize());
        fetcher = new Fetcher(replica, cache, tree, patience, workers, counters, options);
        table = new FileTable(
                new FileParts(replica, workers, patience),
                new StoredIndexes(options.folder(), replica.url()),
                fetcher,
                workers,
                options.cacheSize());
        states = new States(replica, table, patience);
        reader = new PageReader(fetcher, states, patience, hydration);
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

    private Newest following() throws IOException {
        Newest present = newest;
        if (present != null) {
            return present;
        }
        opening.lock();
        try {
            present = newest;
            if (present == null) {
                patience.checkOpen();
                long begun = System.nanoTime();
                State first = State.of(states.nextVersion(), states.files(RestoreTarget.latest()));
                present =
                        new Newest(replica, states, planning, reader, this::readAhead, patience, options, first, begun);
                present.start();
                newest = present;
                table.prune();
                if (options.hydrate()) {
                    hydration.start(
                            present, new LocalCopy(replica, states, fetcher, patience, options, hydration::isStopped));
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
        return new Moment(new StateFiles(state, states, planning), reader, this::readAhead, patience);
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
        Newest present = newest;
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
        patience.close(); // first, as a plan that is being made holds the lock until then
        opening.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            Newest present = newest;
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
