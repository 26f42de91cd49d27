package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.litestream4j.internal.files.Durable;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * The local state of a database, looked at from outside of the process that replicates it.
 *
 * @param captured newest captured transaction; {@link Txid#NONE} if nothing was captured
 * @param running whether a process replicates the database right now
 * @param files how many level-0 files are kept
 * @param bytes of these files
 */
public record LocalState(Txid captured, boolean running, int files, long bytes) {

    public LocalState {
        requireNonNull(captured, "captured");
    }

    /**
     * Looks; neither opens the database nor changes anything.
     *
     * @param metaPath folder of the local state
     * @return empty if there is no such folder
     */
    public static Optional<LocalState> of(Path metaPath) throws IOException {
        if (!Files.isDirectory(metaPath)) {
            return Optional.empty();
        }
        boolean running;
        try (OwnerLock owner = new OwnerLock(metaPath)) {
            running = owner.isTaken();
        }
        Txid captured =
                new PositionStore(metaPath).load().map(PositionRecord::txid).orElse(Txid.NONE);
        Staging staging = new Staging(metaPath, 0);
        int files = 0;
        long bytes = 0;
        for (LtxFileName name : staging.list()) {
            captured = Txid.max(captured, name.max()); // the record of a running process may be a moment old
            try {
                bytes += Files.size(staging.path(name));
                files++;
            } catch (NoSuchFileException e) {
                // replicated and deleted meanwhile
            }
        }
        return Optional.of(new LocalState(captured, running, files, bytes));
    }

    /**
     * Records that a restore brought the database file to a transaction, so that the next start continues from there. Reads
     * the whole file: the next start compares the database with what was restored. Call before anybody opens the file.
     *
     * @param metaPath folder of the local state
     * @param fileChecksum of the transaction's level-0 file; if that file is here, its own counts
     * @param pageSize in bytes
     * @param commit database size in pages
     */
    public static void recordRestored(
            Path database, Path metaPath, Txid txid, long fileChecksum, int pageSize, long commit) throws IOException {
        PrivateFiles.createDirectories(metaPath);
        Staging staging = new Staging(metaPath, 0);
        LtxFileName newest = LtxFileName.of(txid);
        PositionRecord restored = new PositionRecord(
                txid,
                Files.exists(staging.path(newest)) ? staging.fileChecksum(newest) : fileChecksum,
                pageSize,
                commit,
                WalPosition.NONE,
                Fingerprint.of(database),
                true,
                WalPosition.NONE,
                true);
        if (RollingChecksum.fits(commit)) {
            new PageChecksumStore(metaPath).save(restored, PageChecksums.read(database, pageSize, commit));
        }
        new PositionStore(metaPath).save(restored);
    }

    /**
     * Forgets how far a database was captured and deletes its local files, for the case that they are damaged or of no use; the
     * next start captures the whole database. What was not uploaded yet is lost for a restore to that very moment, but the
     * database itself is not touched.
     *
     * @param metaPath folder of the local state
     * @param dryRun whether to delete nothing
     * @return what is (or would be) deleted; empty if there is no local state
     * @throws CaptureException if a process replicates the database
     */
    public static List<Path> reset(Path database, Path metaPath, boolean dryRun) throws IOException {
        if (!Files.isDirectory(metaPath)) {
            return List.of();
        }
        OwnerLock owner = new OwnerLock(metaPath);
        try {
            if (!owner.tryAcquire()) {
                throw new CaptureException(
                        database, "a process replicates the database", "stop it, then reset its local state", null);
            }
            List<Path> files = new ArrayList<>();
            for (String name : new String[] {"position", "checksums", "ltx", "restore"}) {
                addAll(metaPath.resolve(name), files);
            }
            if (!dryRun) {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
                Durable.forceFolder(metaPath);
            }
            return List.copyOf(files);
        } finally {
            owner.close();
        }
    }

    /** Children before their folder. */
    private static void addAll(Path root, List<Path> files) throws IOException {
        if (Files.exists(root)) {
            try (var paths = Files.walk(root)) {
                List<Path> found = new ArrayList<>(paths.toList());
                Collections.reverse(found);
                files.addAll(found);
            }
        }
    }
}
