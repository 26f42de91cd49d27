package org.litestream4j.internal.vfs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The files that connections have open, by the numbers that SQLite keeps, and by connections. Thread-safe. */
final class OpenFiles {

    private volatile @Nullable OpenFile[] byNumber = new OpenFile[16];

    @GuardedBy("this")
    private final Map<Long, List<OpenFile>> byConnection = new HashMap<>();

    /** Adds a file and returns its number, at least 1. */
    synchronized long add(OpenFile file) {
        @Nullable OpenFile[] files = byNumber;
        int number = 1;
        while (number < files.length && files[number] != null) {
            number++;
        }
        if (number == files.length) {
            files = Arrays.copyOf(files, number * 2);
        }
        files[number] = file;
        byNumber = files; // publishes the entry
        return number;
    }

    /** Returns an open file. */
    OpenFile get(long number) {
        OpenFile file = byNumber[(int) number];
        if (file == null) {
            throw new IllegalStateException("file " + number + " is not open");
        }
        return file;
    }

    synchronized OpenFile remove(long number) {
        OpenFile file = get(number);
        @Nullable OpenFile[] files = byNumber;
        files[(int) number] = null;
        byNumber = files;
        forget(file);
        return file;
    }

    @GuardedBy("this")
    private void forget(OpenFile file) {
        List<OpenFile> opened = byConnection.get(file.connection());
        if (opened != null && opened.remove(file) && opened.isEmpty()) {
            byConnection.remove(file.connection());
        }
    }

    /** Records the connection, a {@code sqlite3}, that a file belongs to. */
    synchronized void belongs(OpenFile file, long connection) {
        forget(file);
        file.belongsTo(connection);
        byConnection.computeIfAbsent(connection, key -> new ArrayList<>()).add(file);
    }

    /** Returns the main database of a connection if it is a replica, otherwise the replica that was attached first. */
    synchronized @Nullable OpenFile ofConnection(long connection) {
        List<OpenFile> opened = byConnection.get(connection);
        return opened == null ? null : opened.get(0);
    }
}
