package org.litestream4j.internal.vfs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** The one VFS of a process. Can be asked for also without JNA on the class path. Thread-safe. */
public final class SharedVfs {

    @GuardedBy("SharedVfs.class")
    private static @Nullable ReplicaVfs vfs;

    @GuardedBy("SharedVfs.class")
    private static @Nullable SqliteApi api;

    /** Why this process cannot have it. */
    @GuardedBy("SharedVfs.class")
    private static @Nullable String unsupported;

    private SharedVfs() {}

    /**
     * Returns the VFS, and registers it on the first call.
     *
     * @throws VfsUnsupportedException if this process cannot have it; the same on each call
     */
    public static synchronized ReplicaVfs get() throws VfsUnsupportedException {
        if (vfs == null) {
            vfs = ReplicaVfs.register(ReplicaVfs.NAME, api(), CheckedCalls.create(), new PageOne());
        }
        return vfs;
    }

    /** Returns SQLite's functions, which all VFSs of a process share. */
    static synchronized SqliteApi api() throws VfsUnsupportedException {
        if (unsupported != null) {
            throw new VfsUnsupportedException(unsupported, null);
        }
        if (api == null) {
            try {
                Environment.check();
                api = SqliteApi.load();
            } catch (VfsUnsupportedException e) {
                unsupported = e.getMessage();
                throw e;
            } catch (SQLException | LinkageError | RuntimeException e) {
                unsupported = "SQLite cannot be reached from Java: " + e
                        + ". With Java 24 or later, start Java with --enable-native-access=ALL-UNNAMED";
                throw new VfsUnsupportedException(unsupported, e);
            }
        }
        return api;
    }
}
