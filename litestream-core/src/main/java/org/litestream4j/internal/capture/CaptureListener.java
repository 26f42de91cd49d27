package org.litestream4j.internal.capture;

/**
 * Receives the effects of capturing on the application. Called on the capture lane; methods must be fast and must not
 * throw.
 */
public interface CaptureListener {

    /** A listener that does nothing. */
    CaptureListener NONE = new CaptureListener() {};

    /** The write lock was acquired; a call of {@link #writeLockHeld} follows. */
    default void writeLockTaken() {}

    /**
     * The write lock was released. A restore in place calls only this method, not {@link #writeLockTaken}.
     *
     * @param nanos time for which the lock was held, in nanoseconds; for a restore in place, duration of the
     *     copy
     */
    default void writeLockHeld(long nanos) {}

    /**
     * A checkpoint ended.
     *
     * @param done whether the checkpoint ran; false if it was busy or failed
     */
    default void checkpointed(CheckpointLocking mode, long nanos, boolean done) {}
}
