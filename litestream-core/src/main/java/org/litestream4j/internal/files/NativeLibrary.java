package org.litestream4j.internal.files;

import java.io.IOException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteJDBCLoader;

/** SQLite's native library, which the driver extracts to a folder for temporary files and loads from there. */
public final class NativeLibrary {

    private NativeLibrary() {}

    /** Thrown if the library cannot be loaded; the error persists until the process is started with other settings. */
    public static final class NotLoadedException extends IOException {

        @Serial
        private static final long serialVersionUID = 1L;

        private NotLoadedException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Returns whether a failure was caused by the library. */
    public static boolean isCauseOf(@Nullable Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof NotLoadedException) {
                return true;
            }
        }
        return false;
    }

    /**
     * Loads the library unless it is loaded.
     *
     * @throws NotLoadedException if it cannot be loaded; names the folder and the settings
     */
    public static void require() throws NotLoadedException {
        try {
            if (SQLiteJDBCLoader.initialize()) {
                return;
            }
        } catch (Exception | LinkageError e) {
            throw failure(e);
        }
        throw failure(null);
    }

    static NotLoadedException failure(@Nullable Throwable cause) {
        if (cause instanceof IllegalCallerException) { // --illegal-native-access=deny
            return new NotLoadedException(
                    "the JVM does not allow SQLite's driver to load its native library; start it with"
                            + " --enable-native-access=ALL-UNNAMED (on the module path: the name of the driver's module,"
                            + " org.xerial.sqlitejdbc)",
                    cause);
        }
        String folder = System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir", "unknown"));
        return new NotLoadedException(
                "SQLite's native library cannot be unpacked into " + folder + " and loaded from there; set"
                        + " -Djava.io.tmpdir or -Dorg.sqlite.tmpdir to a folder that this process may write and that is not"
                        + " mounted noexec",
                cause);
    }
}
