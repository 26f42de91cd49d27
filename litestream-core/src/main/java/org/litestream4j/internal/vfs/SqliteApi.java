package org.litestream4j.internal.vfs;

import static java.util.Objects.requireNonNull;
import static org.litestream4j.internal.vfs.DriverLayout.VFS_SIZE;
import static org.litestream4j.internal.vfs.DriverLayout.X_DL_OPEN;
import static org.litestream4j.internal.vfs.DriverLayout.X_OPEN;
import static org.litestream4j.internal.vfs.DriverLayout.require;
import static org.litestream4j.internal.vfs.NativeBridge.getLong;
import static org.litestream4j.internal.vfs.NativeBridge.putLong;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import org.litestream4j.internal.files.SqliteCode;
import org.sqlite.SQLiteConfig;

/**
 * The functions of the driver's SQLite, which its library does not export. SQLite hands the table of its functions to an
 * extension that it loads; where the extension comes from, it asks the VFS of the connection. One private connection gets
 * a VFS that answers with a function of ours.
 */
final class SqliteApi {

    private static final int WORD = 8;
    private static final int X_DL_ERROR = 80;
    private static final int X_DL_SYM = 88;
    private static final int X_DL_CLOSE = 96;

    /** Slots of the table, {@code sqlite3_api_routines}, to which SQLite only ever appends. */
    private static final Map<String, Integer> SLOTS = Map.ofEntries(
            Map.entry("exec", 55),
            Map.entry("free", 58),
            Map.entry("get_autocommit", 60),
            Map.entry("libversion_number", 67),
            Map.entry("result_error", 80),
            Map.entry("result_int64", 83),
            Map.entry("result_text", 85),
            Map.entry("value_text", 109),
            Map.entry("result_error_nomem", 137),
            Map.entry("vfs_find", 141),
            Map.entry("result_error_code", 146),
            Map.entry("vfs_register", 142),
            Map.entry("context_db_handle", 149),
            Map.entry("create_function_v2", 162),
            Map.entry("uri_parameter", 189),
            Map.entry("malloc64", 197));

    private final long table;
    private final long defaultVfs;

    private SqliteApi(long table, long defaultVfs) {
        this.table = table;
        this.defaultVfs = defaultVfs;
    }

    /** Gets the functions; once in a process. Writes nothing unless the layout is as expected. */
    static SqliteApi load() throws SQLException, VfsUnsupportedException {
        SQLiteConfig config = new SQLiteConfig();
        config.enableLoadExtension(true);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:", config.toProperties());
                Connection other = DriverManager.getConnection("jdbc:sqlite::memory:")) {
            long handle = DriverLayout.handle(connection);
            long defaultVfs = DriverLayout.defaultVfs(handle, DriverLayout.handle(other));
            long table = table(connection, handle, defaultVfs);
            SqliteApi api = new SqliteApi(table, defaultVfs);
            Map<String, Long> addresses = new HashMap<>();
            for (String name : SLOTS.keySet()) {
                long address = api.address(name);
                require(DriverLayout.isNear(address, defaultVfs), "function " + name);
                addresses.put(name, address);
            }
            addresses.put("open", getLong(defaultVfs + X_OPEN));
            NativeBridge.bind(Calls.class, addresses);
            require(Calls.libversion_number() == versionNumber(connection), "version");
            require(Calls.vfs_find(0) == defaultVfs, "default VFS");
            return api;
        }
    }

    private static long table(Connection connection, long handle, long defaultVfs)
            throws SQLException, VfsUnsupportedException {
        long[] given = {0, 0};
        long entry = NativeBridge.function((NativeBridge.PPP) (db, message, table) -> {
            given[0] = db;
            given[1] = table;
            return SqliteCode.OK_LOAD_PERMANENTLY;
        });
        long vfs = NativeBridge.allocate(VFS_SIZE);
        for (int offset = 0; offset < VFS_SIZE; offset += WORD) {
            putLong(vfs + offset, getLong(defaultVfs + offset));
        }
        putLong(vfs + X_DL_OPEN, NativeBridge.function((NativeBridge.Address) (self, name, unused) -> 1));
        putLong(vfs + X_DL_ERROR, NativeBridge.function((NativeBridge.PIP) (self, length, text) -> 0));
        putLong(vfs + X_DL_SYM, NativeBridge.function((NativeBridge.Address) (self, library, name) -> entry));
        putLong(vfs + X_DL_CLOSE, NativeBridge.function((NativeBridge.PP) (self, library) -> 0));
        putLong(handle, vfs);
        try (Statement statement = connection.createStatement()) {
            statement.execute("select load_extension('java', 'init')");
        } finally {
            putLong(handle, defaultVfs);
        }
        long table = given[1];
        require(given[0] == handle && DriverLayout.isPlausible(table), "table of functions");
        require(
                DriverLayout.isNear(table, defaultVfs) && DriverLayout.isReadable(table, 200 * WORD),
                "table of functions");
        return table;
    }

    private static int versionNumber(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select sqlite_version()")) {
            String[] parts = row.getString(1).split("\\.", -1);
            return Integer.parseInt(parts[0]) * 1_000_000
                    + Integer.parseInt(parts[1]) * 1_000
                    + Integer.parseInt(parts[2]);
        }
    }

    long defaultVfs() {
        return defaultVfs;
    }

    /** Returns the address of a function of the table. */
    long address(String name) {
        return getLong(table + (long) requireNonNull(SLOTS.get(name)) * WORD);
    }

    void register(long vfs) throws VfsUnsupportedException {
        require(Calls.vfs_register(vfs, 0) == SqliteCode.OK, "sqlite3_vfs_register");
    }

    boolean isRegistered(long name) {
        return Calls.vfs_find(name) != 0;
    }

    /** Calls the default VFS's {@code xOpen}; the file then belongs to the default VFS. */
    int openByDefault(long name, long file, int flags, long outFlags) {
        return Calls.open(defaultVfs, name, file, flags, outFlags);
    }

    /**
     * Returns a URI parameter of a file that is being opened; 0 if it has none of that name.
     *
     * @param name the address that {@code xOpen} got
     */
    long uriParameter(long name, long parameter) {
        return Calls.uri_parameter(name, parameter);
    }

    /** Returns a C string that SQLite frees. */
    long string(String text) {
        byte[] bytes = (text + "\0").getBytes(StandardCharsets.UTF_8);
        long address = Calls.malloc64(bytes.length);
        if (address == 0) {
            throw new OutOfMemoryError("sqlite3_malloc64");
        }
        NativeBridge.write(address, bytes);
        return address;
    }

    int createFunction(long db, long name, int arguments, long function) {
        return Calls.create_function_v2(db, name, arguments, 1 /* SQLITE_UTF8 */, 0, function, 0, 0, 0);
    }

    /** Returns whether a connection is in a transaction that lasts longer than the present statement. */
    boolean isInTransaction(long db) {
        return Calls.get_autocommit(db) == 0;
    }

    /**
     * Runs a statement and ignores its rows.
     *
     * @return the result code
     */
    int run(long db, long sql) {
        return Calls.exec(db, sql, 0, 0, 0);
    }

    long connection(long context) {
        return Calls.context_db_handle(context);
    }

    /** Returns an argument of a function, a {@code sqlite3_value}, as text; empty for NULL. */
    String text(long value) {
        String text = NativeBridge.text(Calls.value_text(value));
        return text == null ? "" : text;
    }

    void returnText(long context, String text) {
        Calls.result_text(context, string(text), -1, address("free"));
    }

    void returnInteger(long context, long value) {
        Calls.result_int64(context, value);
    }

    void returnError(long context, String message) {
        long text = string(message);
        Calls.result_error(context, text, -1); // copies
        Calls.free(text);
    }

    /** Changes the result code of an error that was returned. */
    void returnErrorCode(long context, int code) {
        Calls.result_error_code(context, code);
    }

    /** The functions themselves; JNA binds them by their names. */
    @SuppressWarnings("MethodName")
    private static final class Calls {

        private Calls() {}

        static native int libversion_number();

        static native long vfs_find(long name);

        static native int vfs_register(long vfs, int makeDefault);

        static native int open(long vfs, long name, long file, int flags, long outFlags);

        static native long uri_parameter(long file, long name);

        static native long malloc64(long bytes);

        static native void free(long memory);

        static native int create_function_v2(
                long db,
                long name,
                int arguments,
                int encoding,
                long data,
                long function,
                long step,
                long last,
                long destroy);

        static native int get_autocommit(long db);

        static native int exec(long db, long sql, long callback, long argument, long message);

        static native long context_db_handle(long context);

        static native long value_text(long value);

        static native void result_text(long context, long text, int length, long destructor);

        static native void result_int64(long context, long value);

        static native void result_error(long context, long text, int length);

        static native void result_error_code(long context, int code);
    }
}
