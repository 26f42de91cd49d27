package org.litestream4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
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
 * application's connections are held back between two transactions. Capture and TXIDs go on.
 */
final class InPlaceRestore {

    private static final Logger log = LoggerFactory.getLogger(InPlaceRestore.class);

    private final ManagedDatabase database;
    private final ReplicaClient client;
    private final EngineCounters counters;
    private final Path folder;

    InPlaceRestore(ManagedDatabase database, ReplicaClient client, EngineCounters counters) {
        this.database = database;
        this.client = client;
        this.counters = counters;
        this.folder = database.config().metaPath().resolve("restore");
    }

    /** @param timeout longest wait for the replica before and after, and for the application's writers */
    InPlaceRestoreResult run(RestoreOptions options, Duration timeout) throws IOException, InterruptedException {
        database.sync(timeout);
        Files.createDirectories(folder);
        Path side = folder.resolve(UUID.randomUUID() + ".db");
        try {
            RestoreResult restored = counters.restore(() -> Restore.restore(client, side, counted(options)));
            Txid before = copyIn(side, restored, timeout);
            database.sync(timeout);
            Txid after = database.status().replicated();
            log.info(
                    "database restored in place: db={} restored-txid={} before={} after={}",
                    database.name(),
                    restored.txid(),
                    before,
                    after);
            return new InPlaceRestoreResult(restored, before, after);
        } finally {
            for (String suffix : new String[] {"", "-wal", "-shm", "-journal"}) {
                Files.deleteIfExists(side.resolveSibling(side.getFileName() + suffix));
            }
        }
    }

    private RestoreOptions counted(RestoreOptions options) {
        return RestoreOptions.builder()
                .target(options.target())
                .integrityCheck(options.integrityCheck())
                .parallelism(options.parallelism())
                .cancelled(options.cancelled())
                .listener(progress -> {
                    counters.restoring(progress);
                    options.listener().onProgress(progress);
                })
                .clock(options.clock())
                .build();
    }

    private Txid copyIn(Path side, RestoreResult restored, Duration timeout) throws IOException, InterruptedException {
        database.gate().shut();
        Optional<Txid> before;
        try {
            before = database.onCaptureLane(capture -> copy(capture, side, restored, timeout));
        } finally {
            database.gate().open();
        }
        return before.orElseThrow(() -> failure(
                "other connections kept it busy for " + timeout.toMillis() + " ms, nothing was changed",
                "end long transactions and try again"));
    }

    private Optional<Txid> copy(Capture capture, Path side, RestoreResult restored, Duration timeout)
            throws IOException {
        if (capture.pageSize() != restored.pageSize()) {
            throw failure(
                    "its pages have " + capture.pageSize() + " bytes, those of the state to restore "
                            + restored.pageSize(),
                    "stop the application and restore into the file from the command line");
        }
        return capture.restoreInPlace(side, timeout);
    }

    private LitestreamException failure(String problem, String remedy) {
        return new LitestreamException(
                database.config().path().toString(), "cannot be restored in place: " + problem, remedy, null);
    }
}
