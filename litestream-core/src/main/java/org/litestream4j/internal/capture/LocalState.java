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
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;

/**
 * Local state of a database, as seen from outside of the process that replicates it.
 *
 * @param captured newest captured transaction; {@link Txid#NONE} if nothing was captured
 * @param running whether a process replicates the database now
 * @param files number of local level-0 files
 * @param bytes total size of these files in bytes
 */
public record LocalState(Txid captured, boolean running, int files, long bytes) {

    public LocalState {
        requireNonNull(captured, "captured");
    }

    /**
     * Reads the local state. Neither opens the database nor changes anything.
     *
     * @param metaPath folder of the local state
     * @return the local state; empty if the folder does not exist
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
            captured = Txid.max(captured, name.max()); // the record may be older than the files of a running process
            try {
                bytes += Files.size(staging.path(name));
                files++;
            } catch (NoSuchFileException e) {
                // uploaded and deleted meanwhile
            }
        }
        return Optional.of(new LocalState(captured, running, files, bytes));
    }

    /**
     * Records the transaction to which the database file was restored, so that the next start continues from it. Reads
     * the whole file and saves its page checksums, if they fit into the heap; the next start compares the database with
     * them. Call it before any connection opens the file.
     *
     * @param metaPath folder of the local state
     * @param fileChecksum file checksum of the transaction's level-0 file; ignored if that file exists locally
     * @param pageSize page size in bytes
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
     * Deletes the local files of a database and its recorded position, if they are damaged or no longer needed. The
     * next start captures the whole database. Transactions that were not uploaded can then no longer be restored one by
     * one; the database itself is unchanged.
     *
     * @param metaPath folder of the local state
     * @param dryRun whether to only list the files
     * @return files that are (or would be) deleted; empty if there is no local state
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
                DurableFiles.forceFolder(metaPath);
            }
            return List.copyOf(files);
        } finally {
            owner.close();
        }
    }

    /** Adds a folder and its content, children before their parents. */
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
