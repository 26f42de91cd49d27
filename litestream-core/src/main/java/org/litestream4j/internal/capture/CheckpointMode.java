package org.litestream4j.internal.capture;

/** How a checkpoint was run. */
public enum CheckpointMode {
    /** Without any lock of the application's. */
    PASSIVE,
    /** With the write lock held, because the WAL was over its limit. */
    LOCKED
}
