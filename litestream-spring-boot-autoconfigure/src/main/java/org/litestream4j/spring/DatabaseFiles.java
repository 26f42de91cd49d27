package org.litestream4j.spring;

import java.io.IOException;
import java.nio.file.Path;

/** Compares paths of files that need not exist. Opens no file, because closing it would release SQLite's locks. */
final class DatabaseFiles {

    private DatabaseFiles() {}

    /** Returns whether two absolute paths refer to one file, including through symbolic links. */
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
