package org.litestream4j.internal.vfs;

import org.jspecify.annotations.Nullable;

/** The cause of the last failure on this thread; SQLite passes on only a result code. */
final class LastFailure {

    private static final ThreadLocal<@Nullable Throwable> CAUSE = new ThreadLocal<>();

    private LastFailure() {}

    /** Records a cause. Does not throw. */
    static void set(Throwable cause) {
        try {
            CAUSE.set(cause);
        } catch (Throwable e) { // stack or memory exhausted: the result code must still be returned
            return;
        }
    }

    /** Returns the cause and forgets it; null if there is none. */
    static @Nullable Throwable take() {
        Throwable cause = CAUSE.get();
        if (cause != null) {
            CAUSE.remove();
        }
        return cause;
    }
}
