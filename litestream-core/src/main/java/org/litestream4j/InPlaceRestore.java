package org.litestream4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.litestream4j.capture.Capture;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a live database to another state: restored to a side file first, then copied in within one write transaction while the
 * application's connections are held back between two transactions. Capture and TXIDs go on. One at a time.
 */
final class InPlaceRestore {

    private static final Logger log = LoggerFactory.getLogger(InPlaceRestore.class);

    private final ManagedDatabase database;
    private final ReplicaClient client;
    private final EngineCounters counters;
    private final Path side;
    private final AtomicBoolean running = new AtomicBoolean();

    InPlaceRestore(ManagedDatabase database, ReplicaClient client, EngineCounters counters) {
        this.database = database;
        this.client = client;
        this.counters = counters;
        this.side = database.config().metaPath().resolve("restore").resolve("in-place.db");
    }

    /** @param timeout longest wait for the replica before and after, and for the application's writers */
    InPlaceRestoreResult run(RestoreOptions options, Duration timeout) throws IOException, InterruptedException {
        if (!running.compareAndSet(false, true)) {
            throw failure("another restore is running", "wait for its end");
        }
        try {
            return runAlone(options, timeout);
        } finally {
            running.set(false);
        }
    }

    private InPlaceRestoreResult runAlone(RestoreOptions options, Duration timeout)
            throws IOException, InterruptedException {
        database.sync(timeout, options.cancelled());
        deleteSideFile();
        Files.createDirectories(side.getParent());
        try {
            RestoreResult restored =
                    counters.restore(() -> Restore.restore(client, side, counters.observing(sideOptions(options))));
            Copied copied = copyIn(restored, options.cancelled(), timeout);
            boolean replicated = isReplicated(timeout, options.cancelled());
            log.info(
                    "database restored in place: db={} restored-txid={} before={} after={} replicated={}",
                    database.name(),
                    restored.txid(),
                    copied.before(),
                    copied.after(),
                    replicated);
            return new InPlaceRestoreResult(restored, copied.before(), copied.after(), replicated);
        } finally {
            deleteSideFile();
        }
    }

    /** Of a process that was killed in the middle, too. */
    void deleteSideFile() throws IOException {
        for (String suffix : new String[] {"", "-wal", "-shm", "-journal"}) {
            Files.deleteIfExists(side.resolveSibling(side.getFileName() + suffix));
        }
    }

    /** The restore is done, even if the replica is not to be reached now. */
    private boolean isReplicated(Duration timeout, BooleanSupplier cancelled) throws InterruptedException {
        try {
            database.sync(timeout, cancelled);
            return true;
        } catch (IOException e) {
            log.warn("restored in place, but not on the replica yet: db={}", database.name(), e);
            return false;
        }
    }

    /** What does not apply to the side file is left out. */
    private static RestoreOptions sideOptions(RestoreOptions options) {
        return RestoreOptions.builder()
                .target(options.target())
                .integrityCheck(options.integrityCheck())
                .compareChecksum(options.compareChecksum())
                .parallelism(options.parallelism())
                .cancelled(options.cancelled())
                .listener(options.listener())
                .clock(options.clock())
                .build();
    }

    private Copied copyIn(RestoreResult restored, BooleanSupplier cancelled, Duration timeout)
            throws IOException, InterruptedException {
        database.gate().shut();
        Optional<Copied> copied;
        try {
            copied = database.onCaptureLane(capture -> copy(capture, restored, cancelled, timeout));
        } finally {
            database.gate().open();
        }
        if (copied.isEmpty() && cancelled.getAsBoolean()) {
            throw failure("cancelled, nothing was changed", "");
        }
        return copied.orElseThrow(() -> failure(
                "other connections kept it busy for " + timeout.toMillis() + " ms, nothing was changed",
                "end long transactions and try again"));
    }

    private Optional<Copied> copy(Capture capture, RestoreResult restored, BooleanSupplier cancelled, Duration timeout)
            throws IOException {
        if (capture.pageSize() != restored.pageSize()) {
            throw failure(
                    "its pages have " + capture.pageSize() + " bytes, those of the state to restore "
                            + restored.pageSize(),
                    "stop the application and restore into the file from the command line");
        }
        return capture.restoreInPlace(side, restored.pages(), restored.writtenChecksum(), timeout, cancelled)
                .map(before -> new Copied(before, capture.captured()));
    }

    private LitestreamException failure(String problem, String remedy) {
        return new LitestreamException(
                database.config().path().toString(), "cannot be restored in place: " + problem, remedy, null);
    }

    /** The captured transactions around the copy. */
    private record Copied(Txid before, Txid after) {}
}
