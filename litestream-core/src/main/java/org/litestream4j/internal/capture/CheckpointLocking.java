package org.litestream4j.internal.capture;

/** Whether a checkpoint holds the write lock. */
public enum CheckpointLocking {
    /** Without the write lock; blocks neither readers nor writers. */
    PASSIVE,
    /** Under the write lock, because the WAL exceeds its limit. */
    LOCKED
}
