package org.litestream4j.spring;

import java.io.IOException;
import java.nio.file.Path;

/** Compares paths of files that need not exist. Opens nothing: that would drop SQLite's locks. */
final class DatabaseFiles {

    private DatabaseFiles() {}

    /** Whether two absolute paths name one file, also through symbolic links. */
    static boolean same(Path one, Path other) {
        return one.equals(other) || real(one).equals(real(other));
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            Path parent = path.getParent();
            return parent == null ? path : real(parent).resolve(path.getFileName());
        }
    }
}
