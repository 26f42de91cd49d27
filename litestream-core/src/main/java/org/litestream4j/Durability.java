package org.litestream4j;

/** The guarantee given when a commit returns. */
public enum Durability {
    /** The commit is in the local database. It is replicated soon after. */
    ASYNC,
    /** The commit is on the replica. */
    REPLICATED
}
