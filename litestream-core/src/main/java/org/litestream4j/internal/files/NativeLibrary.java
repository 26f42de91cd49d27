package org.litestream4j.internal.files;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteJDBCLoader;

/** SQLite itself, which the driver unpacks into a folder for temporary files and loads from there. */
public final class NativeLibrary {

    private NativeLibrary() {}

    /**
     * Loads it, if that did not happen yet.
     *
     * @throws IOException naming the folder and the settings if it cannot be loaded
     */
    public static void require() throws IOException {
        try {
            if (SQLiteJDBCLoader.initialize()) {
                return;
            }
        } catch (Exception | LinkageError e) {
            throw failure(e);
        }
        throw failure(null);
    }

    private static IOException failure(@Nullable Throwable cause) {
        String folder = System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir", "unknown"));
        return new IOException(
                "SQLite's native library cannot be unpacked into " + folder + " and loaded from there; set"
                        + " -Djava.io.tmpdir or -Dorg.sqlite.tmpdir to a folder that this process may write and that is not"
                        + " mounted noexec",
                cause);
    }
}
