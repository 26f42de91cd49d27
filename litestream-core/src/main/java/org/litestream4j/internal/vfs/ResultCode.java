package org.litestream4j.internal.vfs;

/** Result codes of SQLite that the VFS returns. */
final class ResultCode {

    static final int OK = 0;
    static final int ERROR = 1;
    static final int BUSY = 5;
    static final int READONLY = 8;
    static final int IOERR = 10;
    static final int NOTFOUND = 12;
    static final int CANTOPEN = 14;
    static final int OK_LOAD_PERMANENTLY = 256;
    static final int IOERR_READ = 266;
    static final int IOERR_SHORT_READ = 522;

    private ResultCode() {}
}
