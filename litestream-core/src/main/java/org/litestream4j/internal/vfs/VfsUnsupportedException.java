package org.litestream4j.internal.vfs;

import org.jspecify.annotations.Nullable;

/** Thrown if SQLite cannot read through this package in this process; the message names the reason and the remedy. */
public final class VfsUnsupportedException extends Exception {

    private static final long serialVersionUID = 1L;

    VfsUnsupportedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
