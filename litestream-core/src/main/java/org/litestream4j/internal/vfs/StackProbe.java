package org.litestream4j.internal.vfs;

import org.jspecify.annotations.Nullable;

/**
 * Makes sure, before a call to SQLite, that its callbacks will have enough stack. Where {@link CheckedCalls} are not
 * available, each call to SQLite must be guarded.
 */
final class StackProbe {

    /**
     * Frames of about 200 bytes: SQLite's frames, also of a query within a function, those of JNA, and what the JVM demands
     * for a callback to begin.
     */
    private static final int FRAMES = 1000;

    /** Number of guarded calls that this thread is in; calls can be nested. */
    private static final ThreadLocal<@Nullable Integer> GUARDING = new ThreadLocal<>();

    private StackProbe() {}

    /** @throws StackOverflowError if the stack is nearly exhausted */
    static void probe() {
        if (descend(FRAMES, 1, 2, 3, 4, 5, 6, 7, 8) == 0) {
            throw new IllegalStateException("unreachable");
        }
    }

    /** Uses stack; the values survive the call, so that each frame holds them. */
    private static long descend(int frames, long a, long b, long c, long d, long e, long f, long g, long h) {
        if (frames == 0) {
            return a | 1;
        }
        long deeper = descend(frames - 1, b, c, d, e, f, g, h, a);
        return (deeper + a + b + c + d + e + f + g + h) | 1;
    }

    /** Marks what this thread calls as guarded, until {@link #endGuarding}. */
    static void beginGuarding() {
        @Nullable Integer calls = GUARDING.get();
        GUARDING.set(calls == null ? 1 : calls + 1);
    }

    /** Ends the latest {@link #beginGuarding}. */
    static void endGuarding() {
        @Nullable Integer calls = GUARDING.get();
        if (calls == null || calls == 1) {
            GUARDING.remove();
        } else {
            GUARDING.set(calls - 1);
        }
    }

    static boolean isGuarding() {
        return GUARDING.get() != null;
    }
}
