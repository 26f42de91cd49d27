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
 * The database as this process holds it: our own connections together with the files they use; and, when it is let go of, what
 * was done to the file behind SQLite's back. Confined to the capture lane.
 */
final class Attachment implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(Attachment.class);
    private static final int ATTEMPTS = 3;

    private final CaptureSettings settings;
    private final CaptureListener listener;
    private final DatabaseClaim claim = new DatabaseClaim();
    private @Nullable Held held;

    /** The file that was replaced while we had it open; null if none was. */
    private @Nullable Object replaced;

    /** Whether the file was overwritten while we had it open: the WAL is of the old one. */
    private boolean overwritten;

    private record Held(SqliteSession session, OpenFiles files) {}

    /** @param listener told of checkpoints, and how long the write lock was held */
    Attachment(CaptureSettings settings, CaptureListener listener) {
        this.settings = settings;
        this.listener = listener;
    }

    /**
     * Opens an existing database and begins the read transaction; all or nothing.
     *
     * @throws CaptureException naming what is wrong with the database and what to do
     */
    void open() throws IOException {
        requireReplacedIsClosed();
        OpenFiles files = new OpenFiles(settings.database(), settings.wal()); // before SQLite: no replacement is missed
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

    /** Who has the old file open writes where nobody will look, into a WAL that the new file would share. */
    private void requireReplacedIsClosed() throws IOException {
        if (replaced != null) {
            DatabaseFile.closeUnused();
            boolean back = replaced.equals(DatabaseFile.keyOf(settings.database()));
            if (!back && DatabaseFile.isOpenElsewhere(replaced)) {
                throw new CaptureException(
                        settings.database(),
                        "the database file was replaced, and connections of this process still use the old one: what"
                                + " they commit is lost",
                        "close them, or restart the application; replication then starts over with the present file",
                        null);
            }
            replaced = null;
        }
    }

    /** If the WAL is deleted or replaced while it is open, SQLite keeps writing to the unlinked file. */
    private void requireWalOfSqlite() throws IOException {
        committed();
    }

    /**
     * Everything that is committed in the WAL now.
     *
     * @throws CaptureException if the WAL file does not hold what SQLite counts
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
            boolean same = before.equals(Optional.ofNullable(scan.header())); // else the WAL began anew in between
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
                "close all connections to the database; what they have in common with the present files is captured then",
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

    /** Of the WAL; empty if it holds nothing. */
    Optional<WalHeader> walHeader() throws IOException {
        return files().wal().header();
    }

    /** Idempotent. */
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
            claim.release(); // after all is closed
        }
    }

    /** After an error, which is what matters. */
    void closeQuietly() {
        try {
            close();
        } catch (IOException e) {
            log.debug("closing after an error failed: db={}", settings.database(), e);
        }
    }
}
