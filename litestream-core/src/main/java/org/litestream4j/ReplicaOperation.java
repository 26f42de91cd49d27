package org.litestream4j;

/** What is done with files of a replica. */
public enum ReplicaOperation {
    LIST,
    /** A file, or a part of it, until the reader is done with it. */
    GET,
    /** From the first byte until the file is visible. */
    PUT,
    DELETE
}
