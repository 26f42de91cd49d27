package org.litestream4j.internal.engine;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.internal.capture.LocalState;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.internal.files.SiblingNames;
import org.litestream4j.internal.replication.Replication;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restores a missing database before the first connection opens it: the replica's newest state plus later local level-0
 * files. Records the position, so that replication continues from there without a full image.
 */
final class StartupRestore {

    private static final Logger log = LoggerFactory.getLogger(StartupRestore.class);
    private static final DateTimeFormatter SUFFIX =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    private final DatabaseConfig config;
    private final ReplicaClient replica;
    private final RestoreOptions wanted;
    private final Clock clock;
    private final EngineCounters counters;
    private final OperationReports operations;

    StartupRestore(
            DatabaseConfig config,
            ReplicaClient replica,
            RestoreOptions wanted,
            Clock clock,
            EngineCounters counters,
            OperationReports operations) {
        this.config = config;
        this.replica = replica;
        this.wanted = wanted;
        this.clock = clock;
        this.counters = counters;
        this.operations = operations;
    }

    /** Runs the restore; empty if the database exists, or if neither the replica nor the local state contains a backup. */
    @SuppressWarnings("NullAway") // the work may return null, as its type argument says
    Optional<RestoreResult> run() throws IOException {
        boolean withoutContent = isWithoutContent();
        if (CaptureLane.exists(config.path()) && !withoutContent) {
            return Optional.empty();
        }
        ReplicaLocation localState =
                new ReplicaLocation("file:", Map.of("path", config.metaPath().toString()));
        try (ReplicaClient local = Replicas.open(localState)) {
            RestoreOptions options = RestoreOptions.builder()
                    .moveLeftoversAside(true)
                    .force(withoutContent)
                    .local(local)
                    .integrityCheck(wanted.integrityCheck())
                    .compareChecksum(wanted.compareChecksum() && config.databaseChecksum())
                    .parallelism(wanted.parallelism())
                    .listener(wanted.listener())
                    .cancelled(wanted.cancelled())
                    .clock(clock)
                    .build();
            RestoreResult result = operations.restore(() -> restore(counters.observing(options)));
            if (result == null) {
                keepLocalFiles(local);
                return Optional.empty();
            }
            adopt(result);
            log.info(
                    "database restored: db={} replica={} txid={} pages={} files={} of-them-local={} millis={}",
                    config.name(),
                    replica.url(),
                    result.txid(),
                    result.pages(),
                    result.files(),
                    result.localFiles(),
                    result.elapsed().toMillis());
            return Optional.of(result);
        }
    }

    /**
     * Returns whether the file holds no content and was never replicated from here. It may come from the image of a
     * container, and must not take the place of the backup.
     */
    private boolean isWithoutContent() throws IOException {
        return CaptureLane.exists(config.path())
                && !config.replaceWithEmpty()
                && !Files.exists(config.metaPath())
                && EmptyDatabase.is(config.path());
    }

    /** Restores; returns null if there is no backup. */
    private @Nullable RestoreResult restore(RestoreOptions options) throws IOException {
        try {
            return Restore.restore(replica, config.path(), options);
        } catch (RestoreException e) {
            if (e.reason() == RestoreException.Reason.NO_BACKUP) {
                return null;
            }
            throw e;
        }
    }

    /**
     * Moves the local files aside for a new database. Without a replica, the captured changes of the lost database are
     * of no use, but they must not be deleted.
     */
    private void keepLocalFiles(ReplicaClient local) throws IOException {
        boolean[] any = new boolean[1];
        local.list(0, Txid.NONE, file -> {
            any[0] = true;
            return false;
        });
        if (any[0]) {
            moveAside(config.metaPath());
        }
    }

    /** Moves the old local state aside; files that are not on the replica yet are kept and uploaded. */
    private void adopt(RestoreResult result) throws IOException {
        Path aside = moveAside(config.metaPath());
        if (aside != null && result.localFiles() > 0) {
            Txid txid = result.txid();
            for (int i = 0; i < result.localFiles(); i++) {
                keep(aside, LtxFileName.of(txid));
                txid = txid.previous();
            }
            if (!txid.isNone()) {
                keep(aside, LtxFileName.of(txid)); // proves that the replica's newest file is ours
            }
        }
        long checksum = result.localFiles() == 0 ? newestChecksum(result.txid()) : 0;
        LocalState.recordRestored(
                config.path(), config.metaPath(), result.txid(), checksum, result.pageSize(), result.pages());
    }

    private void keep(Path aside, LtxFileName name) throws IOException {
        Path file = Path.of("ltx", "0", name.toString());
        Path kept = config.metaPath().resolve(file);
        PrivateFiles.createDirectories(requireNonNull(kept.getParent()));
        Files.copy(aside.resolve(file), kept, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
    }

    private @Nullable Path moveAside(Path metaPath) throws IOException {
        if (!Files.exists(metaPath)) {
            return null;
        }
        String suffix = "." + SUFFIX.format(clock.instant());
        String name = SiblingNames.of("", metaPath, suffix.length() + 10) + suffix;
        Path aside = metaPath.resolveSibling(name);
        for (int i = 1; Files.exists(aside); i++) {
            aside = metaPath.resolveSibling(name + "-" + i);
        }
        Files.move(metaPath, aside);
        PrivateFiles.restrict(aside);
        log.info("local state of the lost database moved aside: db={} path={}", config.name(), aside);
        return aside;
    }

    /** Returns the checksum by which the first upload recognizes the restored replica; 0 if unknown. */
    private long newestChecksum(Txid txid) throws IOException {
        LtxFileInfo[] newest = new LtxFileInfo[1];
        replica.list(0, txid, file -> {
            newest[0] = file.name().equals(LtxFileName.of(txid)) ? file : newest[0];
            return newest[0] == null;
        });
        return newest[0] == null ? 0 : Replication.remoteChecksum(replica, newest[0]);
    }
}
