package org.litestream4j.internal.files;

import java.io.IOException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteJDBCLoader;

/** SQLite itself, which the driver unpacks into a folder for temporary files and loads from there. */
public final class NativeLibrary {

    private NativeLibrary() {}

    /** It cannot be loaded, and will not be until the process is started with other settings. */
    public static final class NotLoadedException extends IOException {

        @Serial
        private static final long serialVersionUID = 1L;

        private NotLoadedException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Whether that is why something failed. */
    public static boolean isCauseOf(@Nullable Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof NotLoadedException) {
                return true;
            }
        }
        return false;
    }

    /**
     * Loads it, if that did not happen yet.
     *
     * @throws NotLoadedException naming the folder and the settings if it cannot be loaded
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

    private static NotLoadedException failure(@Nullable Throwable cause) {
        String folder = System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir", "unknown"));
        return new NotLoadedException(
                "SQLite's native library cannot be unpacked into " + folder + " and loaded from there; set"
                        + " -Djava.io.tmpdir or -Dorg.sqlite.tmpdir to a folder that this process may write and that is not"
                        + " mounted noexec",
                cause);
    }
}
