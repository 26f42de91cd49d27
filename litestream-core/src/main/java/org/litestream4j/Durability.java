package org.litestream4j;

/** What the return of a commit means. */
public enum Durability {
    /** It is in the local database; it follows to the replica soon. */
    ASYNC,
    /** It is on the replica. */
    REPLICATED
}
