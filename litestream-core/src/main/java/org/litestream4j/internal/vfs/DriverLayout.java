package org.litestream4j.internal.vfs;

import static org.litestream4j.internal.vfs.NativeBridge.getInt;
import static org.litestream4j.internal.vfs.NativeBridge.getLong;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Set;
import org.sqlite.SQLiteConnection;
import org.sqlite.core.DB;
import org.sqlite.core.NativeDB;

/**
 * What must be true of the driver's SQLite before anything is written to its memory: the first word of a
 * {@code struct sqlite3} points to the default VFS, which looks like one and lies in the driver's library.
 */
final class DriverLayout {

    /** Size of {@code sqlite3_vfs}. */
    static final int VFS_SIZE = 168;

    static final int X_OPEN = 40;
    static final int X_DL_OPEN = 72;
    static final int X_GET_LAST_ERROR = 128;

    private static final int WORD = 8;

    /** Longest distance between two addresses in one library. */
    private static final long LIBRARY = 64L << 20;

    private static final Set<String> NAMES = Set.of(
            "unix",
            "unix-none",
            "unix-dotfile",
            "unix-excl",
            "unix-posix",
            "unix-flock",
            "unix-afp",
            "unix-nfs",
            "unix-proxy",
            "win32",
            "win32-longpath",
            "win32-none",
            "win32-longpath-none");

    private DriverLayout() {}

    /** Returns the address of the {@code sqlite3} of a connection. */
    static long handle(Connection connection) throws SQLException, VfsUnsupportedException {
        DB database = connection.unwrap(SQLiteConnection.class).getDatabase();
        try {
            Field pointer = NativeDB.class.getDeclaredField("pointer");
            pointer.setAccessible(true);
            return pointer.getLong(database);
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw unsupported("the field org.sqlite.core.NativeDB.pointer cannot be read", e);
        }
    }

    /**
     * Returns the default VFS.
     *
     * @param one {@code sqlite3} of a connection
     * @param other {@code sqlite3} of another connection
     */
    static long defaultVfs(long one, long other) throws VfsUnsupportedException {
        require(isPlausible(one) && isPlausible(other), "connection handle");
        require(isReadable(one, WORD) && isReadable(other, WORD), "connection handle");
        long vfs = getLong(one);
        require(isPlausible(vfs) && vfs == getLong(other), "first word of struct sqlite3");
        require(isReadable(vfs, VFS_SIZE), "first word of struct sqlite3");
        require(isIn(getInt(vfs), 2, 16), "VFS version");
        require(isIn(getInt(vfs + 4), 16, 1 << 16), "size of a file");
        require(isIn(getInt(vfs + 8), 64, 1 << 20), "length of a path");
        long name = getLong(vfs + 24);
        require(isNear(name, vfs) && isReadable(name, 32), "VFS name");
        require(NAMES.contains(Objects.requireNonNull(NativeBridge.text(name))), "VFS name");
        for (int slot = X_OPEN; slot <= X_GET_LAST_ERROR; slot += WORD) {
            require(isNear(getLong(vfs + slot), vfs), "VFS method");
        }
        return vfs;
    }

    static void require(boolean condition, String what) throws VfsUnsupportedException {
        if (!condition) {
            throw unsupported("unexpected layout: " + what, null);
        }
    }

    static VfsUnsupportedException unsupported(String reason, @org.jspecify.annotations.Nullable Throwable cause) {
        return new VfsUnsupportedException(
                "this version of sqlite-jdbc is not supported (" + reason
                        + "); use the version that Litestream for Java" + " names",
                cause);
    }

    /** Returns whether a value may be the address of an aligned structure. */
    static boolean isPlausible(long address) {
        return address > 0xFFFF && address < 1L << 56 && (address & (WORD - 1)) == 0;
    }

    static boolean isNear(long address, long other) {
        return Math.abs(address - other) < LIBRARY;
    }

    private static boolean isIn(int value, int min, int max) {
        return value >= min && value <= max;
    }

    /** Returns whether memory can be read, if the system tells; true otherwise. */
    static boolean isReadable(long address, long bytes) {
        Path maps = Path.of("/proc/self/maps");
        if (!Files.isReadable(maps)) {
            return true;
        }
        try {
            for (String line : Files.readAllLines(maps)) { // 7f0c1a000000-7f0c1a021000 rw-p …
                int dash = line.indexOf('-');
                int space = line.indexOf(' ');
                if (dash > 0 && space > dash && line.charAt(space + 1) == 'r') {
                    long from = Long.parseUnsignedLong(line, 0, dash, 16);
                    long to = Long.parseUnsignedLong(line, dash + 1, space, 16);
                    if (Long.compareUnsigned(address, from) >= 0 && Long.compareUnsigned(address + bytes, to) <= 0) {
                        return true;
                    }
                }
            }
            return false;
        } catch (IOException e) {
            return true;
        }
    }
}
