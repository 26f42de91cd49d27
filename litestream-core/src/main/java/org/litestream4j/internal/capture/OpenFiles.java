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
 * The database file and its WAL as one attachment knows them: opened when they are needed, and checked at each use for having
 * been replaced. Confined to the capture lane.
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

    /** While nobody can write to the database file but past SQLite's locks; else null. */
    private @Nullable Fingerprint frozen;

    private boolean overwritten;

    /** @throws NoSuchFileException if there is no database */
    OpenFiles(Path database, Path wal) throws IOException {
        this.database = database;
        this.walPath = wal;
        requireOneName(database);
        if (MountPoints.contains(database)) {
            LOG.warn(
                    "the database is mounted as a single file, so its WAL is outside of the mount and is lost with the"
                            + " container, with the commits in it; mount the folder instead: db={}",
                    database);
        }
        this.attached = Fingerprint.of(database);
        this.key = DatabaseFile.keyOf(database);
    }

    /** SQLite names the WAL after the name that was opened: through another name of the file it would be another WAL. */
    private static void requireOneName(Path database) throws IOException {
        boolean unix = database.getFileSystem().supportedFileAttributeViews().contains("unix");
        int names = unix ? (Integer) Files.getAttribute(database, "unix:nlink") : 1;
        if (names > 1) {
            throw new CaptureException(
                    database,
                    "the file has " + names + " names (hard links), each with a WAL of its own",
                    "delete the other names, or copy the database to a file of its own; find them with: find <folder> -samefile "
                            + database,
                    null);
        }
    }

    /** The database file as it was when this object was made. */
    Fingerprint attached() {
        return attached;
    }

    /** Whether there is another file of the name now. */
    boolean isReplaced() throws IOException {
        try {
            return !Fingerprint.of(database).sameFile(attached);
        } catch (NoSuchFileException e) {
            return true;
        }
    }

    /** Whether somebody wrote to the database file past SQLite's locks. */
    boolean isOverwritten() {
        return overwritten;
    }

    /** Which file the attachment began with, for {@link DatabaseFile#isOpenElsewhere}. */
    Object key() {
        return key;
    }

    /** From here on the file must stay as it was; null if checkpoints may write to it. */
    void frozen(@Nullable Fingerprint file) {
        frozen = file;
    }

    /** Whether it is known that checkpoints cannot write to the database file. */
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
     * The WAL. Call once SQLite has begun to read: from then on there is one.
     *
     * @throws CaptureException if it is missing, or it or the database was replaced
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
        } catch (NoSuchFileException e) { // SQLite makes one for the first reader, and keeps it
            throw replaced("the WAL file " + walPath + " is gone");
        }
    }

    private CaptureException replaced(String what) {
        return new CaptureException(
                database,
                what + " while it was open",
                "stop the application before files of the database are replaced; replication starts over with"
                        + " the present"
                        + " file",
                null);
    }

    /** The WAL carries no locks: it is closed before SQLite's connections, which may delete it. */
    void closeWal() throws IOException {
        WalFile closing = wal;
        wal = null;
        if (closing != null) {
            closing.close();
        }
    }

    /** Call after SQLite's connections of this attachment are closed: closing the database file drops the process's locks. */
    @Override
    public void close() throws IOException {
        DatabaseFile closing = file;
        file = null;
        if (closing != null) {
            closing.close();
        }
    }
}
