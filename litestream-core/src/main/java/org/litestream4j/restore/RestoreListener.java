package org.litestream4j.restore;

/** Told how a restore goes on: at each change of phase, and some times a second between. Must be fast and must not throw. */
@FunctionalInterface
public interface RestoreListener {

    /** Listens to nothing. */
    RestoreListener NONE = progress -> {};

    /** On the thread that called {@link Restore#restore}. */
    void onProgress(RestoreProgress progress);
}
