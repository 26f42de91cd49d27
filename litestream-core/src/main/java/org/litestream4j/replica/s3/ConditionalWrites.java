package org.litestream4j.replica.s3;

/** Whether an upload asks the store to refuse it when the name is taken ({@code If-None-Match: *}). */
enum ConditionalWrites {
    /** Yes, until the store says that it does not know how. */
    AUTO,
    /** Yes; a store that does not know how is an error. */
    ON,
    /** No: look first, then write. Two writers at the same moment cannot be detected. */
    OFF
}
