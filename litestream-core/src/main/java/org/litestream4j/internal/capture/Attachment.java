package org.litestream4j.internal.capture;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPageMap;
import org.litestream4j.internal.wal.WalPosition;
import org.litestream4j.internal.wal.WalScan;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of this process to the database, and the files they use. After {@link #close}, remembers whether the
 * database file was replaced or overwritten without SQLite while it was open. Confined to the capture lane.
 */
final class Attachment implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(Attachment.class);
    private static final int ATTEMPTS = 3;

    private final CaptureSettings settings;
    private final CaptureListener listener;
    private final DatabaseClaim claim = new DatabaseClaim();
    private @Nullable Held held;

    /** Key of the database file that was replaced while it was open; null if there is none. */
    private @Nullable Object replaced;

    /** Whether the database file was overwritten while it was open, so that the WAL belongs to the old content. */
    private boolean overwritten;

    private record Held(SqliteSession session, OpenFiles files) {}

    /** @param listener receives checkpoints and the time for which the write lock was held */
    Attachment(CaptureSettings settings, CaptureListener listener) {
        this.settings = settings;
        this.listener = listener;
    }

    /**
     * Opens an existing database and begins the read transaction. On failure, nothing stays open.
     *
     * @throws CaptureException if the database cannot be captured; names the problem and the remedy
     */
    void open() throws IOException {
        requireReplacedIsClosed();
        OpenFiles files = new OpenFiles(settings.database(), settings.wal()); // before SQLite, to detect replacements
        if (overwritten) {
            SqliteSession.emptyWal(settings.database(), settings.busyTimeout());
            overwritten = false;
        }
        claim.take(settings.database(), files.key());
        boolean checked = false;
        try {
            held = new Held(SqliteSession.open(settings.database(), settings.busyTimeout(), listener), files);
            requireWalOfSqlite();
            checked = true;
        } finally {
            if (!checked) {
                closeQuietly();
            }
        }
    }

    /**
     * Requires that no connection of this process still uses the replaced file. Its commits would be lost, and it would
     * share the path of its WAL with the new file.
     */
    private void requireReplacedIsClosed() throws IOException {
        if (replaced != null) {
            DatabaseFile.closeUnused();
            boolean back = replaced.equals(DatabaseFile.keyOf(settings.database()));
            if (!back && DatabaseFile.isOpenElsewhere(replaced)) {
                throw new CaptureException(
                        settings.database(),
                        "the database file was replaced, but connections of this process still use the old one: their"
                                + " commits are lost",
                        "close them, or restart the application; replication then starts over with the current file",
                        null);
            }
            replaced = null;
        }
    }

    /**
     * Requires that the WAL file is the one that SQLite uses. If the WAL is deleted or replaced while it is open,
     * SQLite keeps writing to the unlinked file.
     */
    private void requireWalOfSqlite() throws IOException {
        committed();
    }

    /**
     * Returns all committed transactions in the WAL.
     *
     * @throws CaptureException if the WAL file does not contain the frames that SQLite counts
     */
    WalScan committed() throws IOException {
        WalFile wal = files().wal();
        long found = 0;
        long expected = 0;
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            Optional<WalHeader> before = wal.header();
            expected = session().count().committed();
            WalScan scan = wal.scan(WalPosition.NONE, Long.MAX_VALUE, expected);
            found = scan.frames();
            boolean same = before.equals(Optional.ofNullable(scan.header())); // otherwise the WAL was reset in between
            if (expected == 0) {
                return new WalScan(null, WalPosition.NONE, WalPosition.NONE, 0, new WalPageMap(), false);
            }
            if (same && found == expected) {
                return scan;
            }
        }
        throw new CaptureException(
                settings.database(),
                "the WAL file was deleted or replaced while the database was open: it has " + found + " of SQLite's "
                        + expected + " frames",
                "close all connections to the database; replication then continues with the current files",
                null);
    }

    boolean isOpen() {
        return held != null;
    }

    SqliteSession session() {
        return held().session();
    }

    OpenFiles files() {
        return held().files();
    }

    private Held held() {
        if (held == null) {
            throw new IllegalStateException("not attached: " + settings.database());
        }
        return held;
    }

    /** Returns the header of the WAL; empty if the WAL has no valid header. */
    Optional<WalHeader> walHeader() throws IOException {
        return files().wal().header();
    }

    @Override
    public void close() throws IOException {
        Held closing = held;
        held = null;
        if (closing == null) {
            claim.release();
            return;
        }
        OpenFiles files = closing.files();
        SqliteSession session = closing.session();
        try (files;
                session) {
            if (files.isReplaced()) {
                replaced = files.key();
            }
            overwritten |= files.isOverwritten();
            files.closeWal();
        } finally {
            claim.release(); // after the files and connections are closed
        }
    }

    /** Closes the attachment after an error; logs a failure to close, because the first error is the one to report. */
    void closeQuietly() {
        try {
            close();
        } catch (IOException e) {
            log.debug("closing after an error failed: path={}", settings.database(), e);
        }
    }
}
