package org.litestream4j;

/** Operations on files of a replica. */
public enum ReplicaOperation {
    LIST,
    /** Reading a file or a part of it, until the reader closes it. */
    GET,
    /** Writing a file, from the first byte until the file is visible. */
    PUT,
    DELETE
}
