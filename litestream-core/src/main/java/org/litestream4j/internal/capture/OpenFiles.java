package org.litestream4j.internal.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.MountPoints;
import org.litestream4j.internal.wal.WalFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The database file and WAL of one attachment. Opens them on demand and checks at each use whether they were replaced.
 * Confined to the capture lane.
 */
final class OpenFiles implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(OpenFiles.class);

    private final Path database;
    private final Path walPath;
    private final Fingerprint attached;
    private final Object key;
    private @Nullable DatabaseFile file;
    private @Nullable WalFile wal;
    private Fingerprint openWal = Fingerprint.NONE;

    /** Fingerprint of the database file while checkpoints cannot change it; otherwise null. */
    private @Nullable Fingerprint frozen;

    private boolean overwritten;

    /** @throws NoSuchFileException if the database does not exist */
    OpenFiles(Path database, Path wal) throws IOException {
        this.database = database;
        this.walPath = wal;
        requireOneName(database);
        if (MountPoints.contains(database)) {
            LOG.warn(
                    "the database is mounted as a single file, so its WAL is outside of the mount and is lost with the"
                            + " container, with the commits in it; mount the folder instead: path={}",
                    database);
        }
        this.attached = Fingerprint.of(database);
        this.key = DatabaseFile.keyOf(database);
    }

    /**
     * Requires that the file has only one name. SQLite derives the WAL's name from the opened name, so each name has a
     * separate WAL.
     */
    private static void requireOneName(Path database) throws IOException {
        boolean unix = database.getFileSystem().supportedFileAttributeViews().contains("unix");
        int names = unix ? (Integer) Files.getAttribute(database, "unix:nlink") : 1;
        if (names > 1) {
            throw CaptureException.refusal(
                    database,
                    "the file has " + names + " names (hard links), each with a WAL of its own",
                    "delete the other names, or copy the database to a file of its own; find them with: find <folder>"
                            + " -samefile "
                            + database,
                    null);
        }
    }

    /** Returns the fingerprint of the database file when this object was created. */
    Fingerprint attached() {
        return attached;
    }

    /** Returns whether the path now refers to another file, or to none. */
    boolean isReplaced() throws IOException {
        try {
            return !Fingerprint.of(database).sameFile(attached);
        } catch (NoSuchFileException e) {
            return true;
        }
    }

    /** Returns whether another program changed the database file without SQLite's locks. */
    boolean isOverwritten() {
        return overwritten;
    }

    /** Returns the key of the file with which the attachment began, for {@link DatabaseFile#isOpenElsewhere}. */
    Object key() {
        return key;
    }

    /** Sets the fingerprint that the database file must keep; null if checkpoints may change the file. */
    void frozen(@Nullable Fingerprint file) {
        frozen = file;
    }

    /** Returns whether checkpoints are known to be unable to change the database file. */
    boolean isFrozen() {
        return frozen != null;
    }

    DatabaseFile database() throws IOException {
        if (file == null) {
            file = DatabaseFile.acquire(database);
        }
        return file;
    }

    /**
     * Returns the WAL. Call it after SQLite's first read, which creates the WAL.
     *
     * @throws CaptureException if the WAL is missing, or the WAL or the database was replaced
     */
    WalFile wal() throws IOException {
        Fingerprint now;
        try {
            now = Fingerprint.of(database);
        } catch (NoSuchFileException e) {
            throw replaced("the database file is gone");
        }
        if (!now.sameFile(attached)) {
            throw replaced("the database file was replaced");
        }
        if (frozen != null && !now.sameContent(frozen)) {
            overwritten = true;
            throw replaced("the database file was overwritten");
        }
        try {
            Fingerprint present = Fingerprint.of(walPath);
            WalFile open = wal;
            if (open == null) {
                open = WalFile.open(walPath);
                wal = open;
                openWal = present;
            } else if (!present.sameFile(openWal)) {
                throw replaced("the WAL file was replaced");
            }
            return open;
        } catch (NoSuchFileException e) { // SQLite creates it for the first reader, and keeps it
            throw replaced("the WAL file " + walPath + " is gone");
        }
    }

    private CaptureException replaced(String what) {
        return new CaptureException(
                database,
                what + " while it was open",
                "stop the application before files of the database are replaced; replication starts over with"
                        + " the current file",
                null);
    }

    /**
     * Closes the WAL. Call it before closing SQLite's connections, which may delete the WAL; SQLite has no locks on it.
     */
    void closeWal() throws IOException {
        WalFile closing = wal;
        wal = null;
        if (closing != null) {
            closing.close();
        }
    }

    /**
     * Releases the database file. Call it after closing the SQLite connections of this attachment: closing the file
     * drops the locks of the process.
     */
    @Override
    public void close() throws IOException {
        DatabaseFile closing = file;
        file = null;
        if (closing != null) {
            closing.close();
        }
    }
}
