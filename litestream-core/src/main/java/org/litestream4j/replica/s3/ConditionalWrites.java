package org.litestream4j.replica.s3;

/** Specifies whether an upload asks the store to reject it if the name is taken ({@code If-None-Match: *}). */
enum ConditionalWrites {
    /** Yes, unless the store reports that it does not support the condition. */
    AUTO,
    /** Yes; a store that does not support the condition is an error. */
    ON,
    /** No: check first, then write. Two concurrent writers cannot be detected. */
    OFF
}
