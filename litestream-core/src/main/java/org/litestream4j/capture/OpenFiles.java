package org.litestream4j.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.wal.WalFile;

/**
 * The database file and its WAL as one attachment knows them: opened when they are needed, and checked at each use for having
 * been replaced. Confined to the capture lane.
 */
final class OpenFiles implements Closeable {

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
        this.attached = Fingerprint.of(database);
        this.key = DatabaseFile.keyOf(database);
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
     * The WAL, if there is one.
     *
     * @throws CaptureException if it or the database was replaced
     */
    Optional<WalFile> wal() throws IOException {
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
        Fingerprint present;
        try {
            present = Fingerprint.of(walPath);
        } catch (NoSuchFileException e) {
            if (wal != null) {
                throw replaced("the WAL file is gone");
            }
            return Optional.empty();
        }
        if (wal != null && !present.sameFile(openWal)) {
            throw replaced("the WAL file was replaced");
        }
        if (wal == null) {
            wal = WalFile.open(walPath);
            openWal = present;
        }
        return Optional.of(wal);
    }

    private CaptureException replaced(String what) {
        return new CaptureException(
                database,
                what + " while it was open",
                "stop the application before files of the database are replaced; replication begins anew with the present"
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
