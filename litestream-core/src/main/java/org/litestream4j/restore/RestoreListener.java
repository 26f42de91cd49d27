package org.litestream4j.restore;

/**
 * Receives the progress of a restore: at each change of phase, and a few times a second in between. Implementations
 * must be fast and must not throw.
 */
@FunctionalInterface
public interface RestoreListener {

    /** A listener that ignores all events. */
    RestoreListener NONE = progress -> {};

    /** Called on the thread that called {@link Restore#restore}. */
    void onProgress(RestoreProgress progress);

    /**
     * Called for each damaged file, on the thread that called {@link Restore#restore}. The restore continues if other
     * files lead to the same state.
     *
     * @param problem description of the damage; names the file
     */
    default void onDamagedFile(String problem) {}
}
