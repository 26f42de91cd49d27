package org.litestream4j.internal.vfs;

import java.io.IOException;
import org.litestream4j.internal.files.NativeLibrary;

/** What a process must have before memory of SQLite can be read. */
final class Environment {

    private Environment() {}

    static void check() throws VfsUnsupportedException {
        try {
            check(com.sun.jna.Native.POINTER_SIZE);
        } catch (LinkageError e) {
            throw new VfsUnsupportedException(
                    e instanceof NoClassDefFoundError && e.getCause() instanceof ClassNotFoundException
                            ? "JNA is missing; add the dependency net.java.dev.jna:jna"
                            : "JNA's native library cannot be loaded (" + e.getMessage()
                                    + "); set -Djna.tmpdir to a folder that this process may write and that is not mounted"
                                    + " noexec",
                    e);
        }
        try {
            NativeLibrary.require();
        } catch (IOException e) {
            throw new VfsUnsupportedException(String.valueOf(e.getMessage()), e);
        }
    }

    static void check(int pointerSize) throws VfsUnsupportedException {
        if (pointerSize != 8) {
            throw new VfsUnsupportedException("a 32-bit JVM is not supported; use a 64-bit one", null);
        }
    }
}
