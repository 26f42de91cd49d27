package org.litestream4j;

/** The way a checkpoint was run. */
public enum CheckpointKind {
    /** Without any lock that the application's writers need. */
    PASSIVE,
    /** With the write lock held, because the WAL had exceeded its limit. */
    LOCKED
}
