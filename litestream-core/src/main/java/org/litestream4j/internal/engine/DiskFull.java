package org.litestream4j.internal.engine;

import java.io.IOException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.SqliteCode;

/** Detects errors caused by a full disk. */
final class DiskFull {

    private static final int MAX_CAUSES = 20;

    private DiskFull() {}

    /**
     * Returns whether a full disk caused an error. SQLite has an error code for it; the JDK's exceptions contain only
     * the system's text (ENOSPC, EDQUOT, Windows' error 112).
     */
    static boolean isCauseOf(Throwable error) {
        @Nullable Throwable cause = error;
        for (int i = 0; i < MAX_CAUSES && cause != null; i++) {
            if (cause instanceof SQLException sqlite) {
                if (SqliteCode.primary(sqlite) == SqliteCode.FULL) {
                    return true;
                }
            } else if (cause instanceof IOException && isText(String.valueOf(cause.getMessage()))) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }

    private static boolean isText(String text) {
        return text.contains("No space left on device")
                || text.contains("Disk quota exceeded")
                || text.contains("There is not enough space on the disk");
    }
}
