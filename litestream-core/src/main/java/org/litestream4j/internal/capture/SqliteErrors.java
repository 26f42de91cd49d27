package org.litestream4j.internal.capture;

import java.nio.file.Path;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** Maps SQLite's result codes to errors of a capture and their remedies. */
final class SqliteErrors {

    // SQLite's primary result codes.
    private static final int SQLITE_PERM = 3;
    private static final int SQLITE_READONLY = 8;
    private static final int SQLITE_FULL = 13;
    private static final int SQLITE_CANTOPEN = 14;
    private static final int SQLITE_NOTADB = 26;

    private SqliteErrors() {}

    static boolean isBusy(SQLException e) {
        return e instanceof SQLiteException sqlite
                && (sqlite.getResultCode().code & 0xff) == SQLiteErrorCode.SQLITE_BUSY.code;
    }

    /** Whether an operation with this primary result code may succeed later. */
    static boolean mayPass(int result) {
        return result == SQLiteErrorCode.SQLITE_OK.code
                || result == SQLiteErrorCode.SQLITE_BUSY.code
                || result == SQLiteErrorCode.SQLITE_LOCKED.code
                || result == SQLiteErrorCode.SQLITE_DONE.code;
    }

    /** Returns an exception with SQLite's message and a remedy. */
    static CaptureException failure(Path path, String what, SQLException e) {
        String remedy = "";
        if (isBusy(e)) {
            remedy = "another connection holds a lock; will retry";
        } else if (e instanceof SQLiteException sqlite
                && sqlite.getResultCode() == SQLiteErrorCode.SQLITE_IOERR_SHORT_READ) {
            remedy = "the database file was truncated, or its WAL was deleted or replaced, while it was open:"
                    + " close all connections to it";
        } else if (e instanceof SQLiteException sqlite) {
            remedy = switch (sqlite.getResultCode().code & 0xff) {
                case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM ->
                    "make the database, the files beside it and its folder readable and writable; will retry";
                case SQLITE_NOTADB -> "correct the path, or restore the file; encrypted databases are not supported";
                case SQLITE_FULL -> "make room on the disk of the database; will retry";
                default -> "";
            };
        }
        return new CaptureException(path, what + ": " + e.getMessage(), remedy, e);
    }
}
