package org.litestream4j.internal.files;

import java.sql.SQLException;
import org.sqlite.SQLiteException;

/** SQLite's result codes. The lower byte is the primary code; the rest distinguishes extended codes. */
public final class SqliteCode {

    public static final int OK = 0;
    public static final int ERROR = 1;
    public static final int PERM = 3;
    public static final int BUSY = 5;
    public static final int LOCKED = 6;
    public static final int NOMEM = 7;
    public static final int READONLY = 8;
    public static final int INTERRUPT = 9;
    public static final int IOERR = 10;
    public static final int CORRUPT = 11;
    public static final int NOTFOUND = 12;
    public static final int FULL = 13;
    public static final int CANTOPEN = 14;
    public static final int NOTADB = 26;
    public static final int DONE = 101;
    public static final int OK_LOAD_PERMANENTLY = 256;
    public static final int IOERR_READ = 266;
    public static final int IOERR_SHORT_READ = 522;

    private SqliteCode() {}

    /** Returns the primary code of any code. */
    public static int primary(int code) {
        return code & 0xFF;
    }

    /** Returns the code of an exception of the driver, extended if SQLite returned one; {@link #OK} for other exceptions. */
    public static int of(SQLException e) {
        return e instanceof SQLiteException sqlite ? sqlite.getResultCode().code : OK;
    }

    /** Returns the primary code of an exception of the driver; {@link #OK} for other exceptions. */
    public static int primary(SQLException e) {
        return primary(of(e));
    }

    /** Returns whether an error means that the file is not a database, or a damaged one. */
    public static boolean isNoDatabase(SQLException e) {
        return primary(e) == NOTADB || primary(e) == CORRUPT;
    }
}
