package org.litestream4j.internal.engine;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamListener;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.compaction.Compaction;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.LiveImage;
import org.litestream4j.internal.capture.Staging;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The next snapshot of one database, in stages: required, requested from the capture lane, handed over as a fixed
 * state, staged in a local file, and published once the replica has its last transaction. Confined to the compaction
 * lane, except where noted.
 */
final class Snapshots {

    private static final Logger log = LoggerFactory.getLogger(Snapshots.class);
    private static final int READ_SIZE = 64 << 10;

    private final DatabaseConfig config;
    private final ReplicaClient client;
    private final Capture capture;
    private final Compaction compaction;
    private final OperationReports operations;
    private final LitestreamListener listener;
    private final Staging files;
    private final SnapshotImages images;
    private final LaneStates laneStates;

    /**
     * Transaction that the snapshot must contain; {@link Txid#NONE} if none is required. Written under this object's
     * lock.
     */
    private volatile Txid wanted = Txid.NONE;

    private volatile @Nullable Staged staged;

    private boolean cleaned;

    private record Staged(LtxFileName name, int history) {}

    /** @param images images from the capture lane */
    Snapshots(
            DatabaseConfig config,
            ReplicaClient client,
            Capture capture,
            Compaction compaction,
            OperationReports operations,
            LitestreamListener listener,
            SnapshotImages images,
            LaneStates laneStates) {
        this.config = config;
        this.client = client;
        this.capture = capture;
        this.compaction = compaction;
        this.operations = operations;
        this.listener = listener;
        this.images = images;
        this.laneStates = laneStates;
        this.files = capture.snapshots();
    }

    /** Requires a snapshot of the state captured now. Thread-safe. */
    synchronized void demand() {
        wanted = Txid.max(wanted, capture.captured());
    }

    /** Returns whether a required snapshot is still pending. Thread-safe. */
    boolean isPending() {
        return !wanted.isNone();
    }

    /** Returns whether a staged snapshot waits for its last transaction to be on the replica. Thread-safe. */
    boolean isStaged() {
        return staged != null;
    }

    /** Returns whether a snapshot is requested or staged, so that another lane will wake this one. */
    boolean isUnderway() {
        return staged != null || images.isRequested();
    }

    /**
     * Withdraws the required snapshot, because a new history begins. Call before the TXIDs of the old one are reused.
     * Thread-safe.
     */
    synchronized void historyEnds() {
        wanted = Txid.NONE;
    }

    /**
     * Requests an image of the database if a snapshot is due.
     *
     * @param replicated newest transaction of the replica
     * @param heals whether a snapshot is needed to repair the replica
     */
    void requestIfDue(Txid replicated, boolean heals) {
        synchronized (this) {
            boolean held = !wanted.isAfter(compaction.status().newestSnapshot());
            if (held || !compaction.isChangedSinceSnapshot(wanted)) {
                wanted = Txid.NONE;
            }
        }
        boolean needed = isPending()
                || compaction.isSnapshotDue(replicated)
                || (heals && compaction.isChangedSinceSnapshot(replicated));
        if (needed && !isUnderway()) {
            images.request();
        }
    }

    /** Deletes the snapshot files of an earlier run, which are unusable. Does nothing after the first call. */
    void clean() throws IOException {
        if (!cleaned) {
            for (LtxFileName name : files.list()) {
                files.delete(name);
            }
            cleaned = true;
        }
    }

    /**
     * Writes the state that was handed over, if there is one, to a local file.
     *
     * @param stop polled for each page
     * @throws org.litestream4j.internal.capture.LostContinuityException if the database differs from its captured
     *     state; nothing is staged
     */
    void stage(BooleanSupplier stop) throws IOException {
        SnapshotImages.Handed handed = images.take();
        if (handed == null) {
            return;
        }
        LiveImage image = handed.image();
        try {
            if (!image.write(stop)) {
                return;
            }
            staged = new Staged(image.name(), handed.history());
            log.info(
                    "snapshot taken: db={} txid={}", config.name(), image.name().max());
        } finally {
            images.close(image);
        }
    }

    /**
     * Publishes the staged snapshot if the replica has its last transaction.
     *
     * @param replicated newest transaction of the replica, read before this call
     * @return false if the snapshot was postponed and must be retried
     */
    boolean publish(Txid replicated) throws IOException {
        Staged waiting = staged;
        if (waiting == null) {
            return true;
        }
        if (history() != waiting.history()) { // read after the position, which then belonged to this history
            drop(waiting);
            return true;
        }
        if (replicated.isBefore(waiting.name().max())) {
            return true; // the upload lane will wake this one
        }
        Path path = files.path(waiting.name());
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path), READ_SIZE)) {
            Instant timestamp = files.timestamp(waiting.name());
            if (!publish(waiting.name(), timestamp, in, path)) {
                return false;
            }
            log.info("snapshot published: db={} replica={} txid={}", config.name(), client.url(), waiting.name());
            listener.onEvent(new LitestreamEvent.SnapshotPublished(
                    config.name(), client.url(), waiting.name().max()));
        } catch (NoSuchFileException e) {
            log.warn("snapshot file was deleted before its upload: db={} path={}", config.name(), path);
        }
        drop(waiting);
        return true;
    }

    private boolean publish(LtxFileName name, Instant timestamp, InputStream in, Path path) throws IOException {
        long size = Files.size(path);
        OptionalLong databaseChecksum = files.databaseChecksum(name);
        return operations.observe(
                Kind.UPLOAD,
                ReplicaClient.SNAPSHOT_LEVEL,
                done -> done ? Outcome.succeeded(name.max(), size) : Outcome.NOTHING,
                () -> compaction.publishSnapshot(name, timestamp, databaseChecksum, in, path.toString()));
    }

    private int history() {
        return laneStates.now().capture().history().number();
    }

    private void drop(Staged waiting) throws IOException {
        staged = null;
        files.delete(waiting.name());
    }
}
