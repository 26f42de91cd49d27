package org.litestream4j.internal.vfs;

import static org.litestream4j.internal.vfs.NativeBridge.getLong;
import static org.litestream4j.internal.vfs.NativeBridge.putInt;
import static org.litestream4j.internal.vfs.NativeBridge.putLong;
import static org.litestream4j.internal.vfs.NativeBridge.zero;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.SqliteCode;
import org.litestream4j.internal.pages.ReplicaUnavailableException;
import org.litestream4j.internal.pages.StaleReplicaException;

/**
 * The methods of an open file, {@code sqlite3_io_methods} of version 1: no memory map, no shared memory. No method lets an
 * exception out.
 */
final class FileMethods {

    /** Size of a {@code sqlite3_file} of ours: the address of the methods, and the number of the {@link OpenFile}. */
    static final int FILE_SIZE = 16;

    private static final int NUMBER = 8;
    private static final int LOCK_SHARED = 1;
    private static final int FCNTL_PRAGMA = 14;
    private static final int FCNTL_PDB = 30;
    private static final int SECTOR_SIZE = 4096;

    private final CheckedCalls calls;
    private final SqliteApi api;
    private final OpenFiles files;
    private final SqlFunctions functions;
    private final long methods;

    FileMethods(CheckedCalls calls, SqliteApi api, OpenFiles files, SqlFunctions functions) {
        this.calls = calls;
        this.api = api;
        this.files = files;
        this.functions = functions;
        methods = NativeBridge.allocate(152);
        putInt(methods, 1); // version
        putLong(methods + 8, calls.function((NativeBridge.P) this::close));
        putLong(methods + 16, calls.function((NativeBridge.PPIP) this::read));
        putLong(methods + 24, calls.function((NativeBridge.PPIP)
                (f, bytes, n, o) -> calls.result(SqliteCode.READONLY)));
        putLong(methods + 32, calls.function((NativeBridge.PP) (f, size) -> calls.result(SqliteCode.READONLY)));
        putLong(methods + 40, calls.function((NativeBridge.PI) (f, flags) -> calls.result(SqliteCode.OK)));
        putLong(methods + 48, calls.function((NativeBridge.PP) this::size));
        putLong(methods + 56, calls.function((NativeBridge.PI) this::lock));
        putLong(methods + 64, calls.function((NativeBridge.PI) this::unlock));
        putLong(methods + 72, calls.function((NativeBridge.PP) this::checkReservedLock));
        putLong(methods + 80, calls.function((NativeBridge.PIP) this::control));
        // These two return no result code; SQLite replaces a sector size of 0.
        putLong(methods + 88, NativeBridge.function((NativeBridge.P) f -> SECTOR_SIZE));
        putLong(methods + 96, NativeBridge.function((NativeBridge.P) f -> 0));
    }

    /** Turns the memory of a {@code sqlite3_file} into an open file. */
    void open(long address, OpenFile file) {
        putLong(address + NUMBER, files.add(file));
        putLong(address, methods);
    }

    private OpenFile file(long address) {
        return files.get(getLong(address + NUMBER));
    }

    private int failed(int code, Throwable cause) {
        LastFailure.set(cause);
        return calls.result(code);
    }

    private int close(long address) {
        try {
            files.remove(getLong(address + NUMBER)).unlock();
            return calls.result(SqliteCode.OK);
        } catch (Throwable e) {
            return failed(SqliteCode.IOERR, e);
        }
    }

    private int read(long address, long bytes, int length, long offset) {
        try {
            calls.requireSafe();
            OpenFile file = file(address);
            if (offset == PageOne.VERSION && length == PageOne.VERSION_SIZE) {
                NativeBridge.write(bytes, file.version());
                return calls.result(SqliteCode.OK);
            }
            int read = file.read(offset, file.buffers().view(bytes, length));
            LastFailure.take(); // see lock
            if (read == length) {
                return calls.result(SqliteCode.OK);
            }
            zero(bytes + read, length - read);
            return calls.result(SqliteCode.IOERR_SHORT_READ);
        } catch (ReplicaUnavailableException | StaleReplicaException e) {
            return failed(SqliteCode.BUSY, e); // keeps the transaction, unlike IOERR
        } catch (Throwable e) {
            return failed(isInUnguardedTransaction(address) ? SqliteCode.BUSY : SqliteCode.IOERR_READ, e);
        }
    }

    /**
     * Returns whether SQLite would silently end a transaction of the application for an IOERR: what follows in it would read
     * other states, each statement its own.
     */
    private boolean isInUnguardedTransaction(long address) {
        try {
            OpenFile file = file(address);
            return !file.isGuarded() && file.connection() != 0 && api.isInTransaction(file.connection());
        } catch (Throwable e) { // the first error is reported all the same
            return false;
        }
    }

    private int size(long address, long size) {
        try {
            putLong(size, file(address).size());
            return calls.result(SqliteCode.OK);
        } catch (Throwable e) {
            return failed(SqliteCode.IOERR, e);
        }
    }

    private int lock(long address, int level) {
        try {
            if (level > LOCK_SHARED) {
                return calls.result(SqliteCode.READONLY);
            }
            calls.requireSafe();
            file(address).lock();
            LastFailure.take(); // an outage that is over does not explain a later error
            return calls.result(SqliteCode.OK);
        } catch (ReplicaUnavailableException | StaleReplicaException e) {
            return failed(SqliteCode.BUSY, e);
        } catch (Throwable e) {
            return failed(isInUnguardedTransaction(address) ? SqliteCode.BUSY : SqliteCode.IOERR, e);
        }
    }

    private int unlock(long address, int level) {
        try {
            if (level < LOCK_SHARED) {
                file(address).unlock();
            }
            return calls.result(SqliteCode.OK);
        } catch (Throwable e) {
            return failed(SqliteCode.IOERR, e);
        }
    }

    private int checkReservedLock(long address, long isReserved) {
        try {
            putInt(isReserved, 0);
            return calls.result(SqliteCode.OK);
        } catch (Throwable e) {
            return failed(SqliteCode.IOERR, e);
        }
    }

    private int control(long address, int operation, long argument) {
        try {
            if (operation == FCNTL_PDB) {
                long connection = getLong(argument);
                files.belongs(file(address), connection);
                functions.add(connection);
                return calls.result(SqliteCode.OK);
            }
            return calls.result(operation == FCNTL_PRAGMA ? pragma(address, argument) : SqliteCode.NOTFOUND);
        } catch (Throwable e) {
            return failed(SqliteCode.ERROR, e);
        }
    }

    /** @param argument three addresses of strings: the answer to give, the name, and the value or 0 */
    private int pragma(long address, long argument) {
        try {
            String name = NativeBridge.text(getLong(argument + 8));
            String value = NativeBridge.text(getLong(argument + 16));
            String answer = pragma(file(address), name == null ? "" : name, value);
            if (answer == null) {
                return SqliteCode.NOTFOUND;
            }
            putLong(argument, api.string(answer));
            return SqliteCode.OK;
        } catch (IOException | RuntimeException e) {
            LastFailure.set(e);
            putLong(argument, api.string(e.getMessage() == null ? e.toString() : e.getMessage()));
            return SqliteCode.ERROR;
        }
    }

    private @Nullable String pragma(OpenFile file, String name, @Nullable String value) throws IOException {
        if (name.equalsIgnoreCase("locking_mode") && "exclusive".equalsIgnoreCase(value)) {
            throw new IllegalStateException("locking_mode=EXCLUSIVE would read one state of the replica for ever");
        }
        String answer = Moments.pragma(file, name, value);
        if (answer != null && value == null && !file.isLocked() && api.isInTransaction(file.connection())) {
            throw new IllegalStateException("this transaction has read nothing of the replica yet; read a table of the"
                    + " replica before PRAGMA " + name + ", or use SELECT litestream_txid() and the like");
        }
        return answer;
    }
}
