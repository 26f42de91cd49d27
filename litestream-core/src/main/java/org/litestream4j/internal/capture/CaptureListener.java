package org.litestream4j.internal.capture;

/** Told what capturing costs the application. Called on the capture lane; must be fast and must not throw. */
public interface CaptureListener {

    /** Listens to nothing. */
    CaptureListener NONE = new CaptureListener() {};

    /** The write lock was taken just now; {@link #writeLockHeld} follows. */
    default void writeLockTaken() {}

    /**
     * The write lock was held, and writers waited.
     *
     * @param nanos from taking it until it was given back
     */
    default void writeLockHeld(long nanos) {}

    /**
     * A checkpoint ended.
     *
     * @param done whether it copied anything, or found nothing to copy; false if it was kept busy or failed
     */
    default void checkpointed(CheckpointMode mode, long nanos, boolean done) {}
}
