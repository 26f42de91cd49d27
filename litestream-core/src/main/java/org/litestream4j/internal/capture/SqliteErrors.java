package org.litestream4j.internal.capture;

import java.nio.file.Path;
import java.sql.SQLException;
import org.litestream4j.internal.files.SqliteCode;

/** Maps SQLite's result codes to errors of a capture and their remedies. */
final class SqliteErrors {

    private SqliteErrors() {}

    static boolean isBusy(SQLException e) {
        return SqliteCode.primary(e) == SqliteCode.BUSY;
    }

    /** Whether an operation with this primary result code may succeed later. */
    static boolean mayPass(int result) {
        return result == SqliteCode.OK
                || result == SqliteCode.BUSY
                || result == SqliteCode.LOCKED
                || result == SqliteCode.DONE;
    }

    /** Returns an exception with SQLite's message and a remedy. */
    static CaptureException failure(Path path, String what, SQLException e) {
        String remedy = "";
        if (isBusy(e)) {
            remedy = "another connection holds a lock; will retry";
        } else if (SqliteCode.of(e) == SqliteCode.IOERR_SHORT_READ) {
            remedy = "the database file was truncated, or its WAL was deleted or replaced, while it was open:"
                    + " close all connections to it";
        } else {
            remedy = switch (SqliteCode.primary(e)) {
                case SqliteCode.CANTOPEN, SqliteCode.READONLY, SqliteCode.PERM ->
                    "make the database, the files beside it and its folder readable and writable; will retry";
                case SqliteCode.NOTADB ->
                    "correct the path, or restore the file; encrypted databases are not supported";
                case SqliteCode.FULL -> "make room on the disk of the database; will retry";
                default -> "";
            };
        }
        return new CaptureException(path, what + ": " + e.getMessage(), remedy, e);
    }
}
