package org.litestream4j.internal.vfs;

import static org.litestream4j.internal.vfs.NativeBridge.getInt;
import static org.litestream4j.internal.vfs.NativeBridge.getLong;
import static org.litestream4j.internal.vfs.NativeBridge.putInt;
import static org.litestream4j.internal.vfs.NativeBridge.putLong;
import static org.litestream4j.internal.vfs.NativeBridge.string;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.litestream4j.internal.files.SqliteCode;

/**
 * SQLite's view of replicas: a VFS named {@value #NAME}, which opens databases that were registered under a name and can
 * only read. Registered with SQLite once in a process, and for ever: connections keep its address. Thread-safe.
 */
public final class ReplicaVfs {

    /** Name of the VFS, as in {@code jdbc:sqlite:file:app?vfs=litestream&open_mode=1}. */
    public static final String NAME = "litestream";

    private static final int OPEN_READONLY = 0x1;
    private static final int OPEN_READWRITE_CREATE = 0x6;
    private static final int OPEN_MAIN_DB = 0x100;
    private static final int OPEN_TEMPORARY = 0x200 | 0x400 | 0x1000 | 0x2000; // database, transient, two journals
    private static final int MIN_PATH_LENGTH = 512;

    /** Keeps what SQLite calls reachable. */
    @GuardedBy("ReplicaVfs.class")
    private static final List<ReplicaVfs> REGISTERED = new ArrayList<>();

    private final String name;
    private final CheckedCalls calls;
    private final SqliteApi api;
    private final PageOne pageOne;
    private final FileMethods methods;
    private final Map<String, ReplicaDatabase> databases = new ConcurrentHashMap<>();
    private final Map<String, Long> refused;
    private final long cache = string("cache");

    /** Address of the VFS under the name of its own, through which only {@link ReplicaDataSource} opens. */
    private long own;

    private ReplicaVfs(String name, SqliteApi api, CheckedCalls calls, PageOne pageOne) {
        this.name = name;
        this.api = api;
        this.calls = calls;
        this.pageOne = pageOne;
        this.refused = Map.of("immutable", string("immutable"), "nolock", string("nolock"));
        OpenFiles files = new OpenFiles();
        this.methods = new FileMethods(calls, api, files, new SqlFunctions(calls, api, files));
    }

    /**
     * Registers a VFS under a name, which it takes over from one that another class loader has registered, and under a
     * name of its own, which no other class loader takes over.
     */
    static synchronized ReplicaVfs register(String name, SqliteApi api, CheckedCalls calls, PageOne pageOne)
            throws VfsUnsupportedException {
        int number = 1;
        while (api.isRegistered(string(name + "-" + number))) {
            number++;
        }
        ReplicaVfs vfs = new ReplicaVfs(name + "-" + number, api, calls, pageOne);
        long struct = vfs.struct();
        vfs.own = struct;
        calls.finish();
        REGISTERED.add(vfs);
        api.register(struct); // from here on, SQLite calls
        api.register(copy(struct, string(name)));
        return vfs;
    }

    private static long copy(long struct, long name) {
        long copy = NativeBridge.allocate(DriverLayout.VFS_SIZE);
        for (int offset = 0; offset < DriverLayout.VFS_SIZE; offset += 8) {
            putLong(copy + offset, getLong(struct + offset));
        }
        putLong(copy + 16, 0); // pNext
        putLong(copy + 24, name);
        return copy;
    }

    private long struct() {
        long byDefault = api.defaultVfs();
        long struct = NativeBridge.allocate(DriverLayout.VFS_SIZE);
        putInt(struct, 1); // version
        putInt(struct + 4, Math.max(FileMethods.FILE_SIZE, getInt(byDefault + 4))); // temporary files are the default's
        putInt(struct + 8, Math.max(MIN_PATH_LENGTH, getInt(byDefault + 8)));
        putLong(struct + 24, string(name));
        putLong(struct + 32, getLong(byDefault + 32)); // pAppData, for the borrowed methods
        putLong(struct + 40, calls.function((NativeBridge.PPPIP) this::open));
        putLong(struct + 48, calls.function((NativeBridge.PPI) (self, path, sync) -> calls.result(SqliteCode.OK)));
        putLong(struct + 56, calls.function((NativeBridge.PPIP) this::access));
        putLong(struct + 64, calls.function((NativeBridge.PPIP) this::fullPathname));
        for (int slot = DriverLayout.X_DL_OPEN; slot <= DriverLayout.X_GET_LAST_ERROR; slot += 8) {
            putLong(struct + slot, getLong(byDefault + slot));
        }
        return struct;
    }

    String name() {
        return name;
    }

    /**
     * Returns whether a callback that could not run is an error by itself. If not, connections can be opened only through
     * a {@link ReplicaDataSource}.
     */
    public boolean isChecked() {
        return calls.areChecked();
    }

    /** Makes a database available under a name. Returns false if the name is taken. */
    public boolean add(String database, ReplicaDatabase content) {
        return databases.putIfAbsent(database, content) == null;
    }

    /** Makes a name unavailable if it is that of a database. Open connections keep their database. */
    public void remove(String database, ReplicaDatabase content) {
        databases.remove(database, content);
    }

    private int open(long self, long name, long file, int flags, long outFlags) {
        try {
            putLong(file, 0); // no methods: SQLite does not close a file that could not be opened
            if ((flags & OPEN_TEMPORARY) != 0) {
                return calls.result(api.openByDefault(name, file, flags, outFlags));
            }
            if ((flags & OPEN_MAIN_DB) == 0) {
                return calls.result(SqliteCode.CANTOPEN);
            }
            methods.open(file, opened(name, self == own));
            if (outFlags != 0) {
                putInt(outFlags, (flags & ~OPEN_READWRITE_CREATE) | OPEN_READONLY);
            }
            return calls.result(SqliteCode.OK);
        } catch (Throwable e) {
            LastFailure.set(e);
            return calls.result(SqliteCode.CANTOPEN);
        }
    }

    private OpenFile opened(long address, boolean isGuarded) throws IOException {
        String name = NativeBridge.text(address);
        for (Map.Entry<String, Long> parameter : refused.entrySet()) {
            if (api.uriParameter(address, parameter.getValue()) != 0) {
                throw new IOException("the parameter " + parameter.getKey() + " would let a transaction read several"
                        + " states of the replica; remove it from the URI");
            }
        }
        if ("shared".equals(NativeBridge.text(api.uriParameter(address, cache)))) {
            throw new IOException(
                    "with cache=shared, one connection would change what another one reads of the replica;"
                            + " remove it from the URI");
        }
        calls.requireSafe();
        ReplicaDatabase database = name == null ? null : databases.get(name);
        if (name == null || database == null) {
            throw new FileNotFoundException(
                    "no read replica named " + name + " is open; open it with ReadReplica.open");
        }
        return new OpenFile(name, database, pageOne, isGuarded);
    }

    /** No file lies beside a replica. */
    private int access(long self, long path, int flags, long exists) {
        try {
            putInt(exists, 0);
            return calls.result(SqliteCode.OK);
        } catch (Throwable e) {
            LastFailure.set(e);
            return calls.result(SqliteCode.IOERR);
        }
    }

    private int fullPathname(long self, long path, int size, long full) {
        try {
            byte[] bytes = (NativeBridge.text(path) + "\0").getBytes(StandardCharsets.UTF_8);
            if (bytes.length > size) {
                throw new IOException("the name of the read replica is too long");
            }
            NativeBridge.write(full, bytes);
            return calls.result(SqliteCode.OK);
        } catch (Throwable e) {
            LastFailure.set(e);
            return calls.result(SqliteCode.CANTOPEN);
        }
    }
}
