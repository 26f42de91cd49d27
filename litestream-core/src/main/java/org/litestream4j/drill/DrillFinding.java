package org.litestream4j.drill;

import static java.util.Objects.requireNonNull;

/**
 * A finding of a drill.
 *
 * @param kind kind of the finding
 * @param text description, with the remedy if there is one; without secrets, in one line
 */
public record DrillFinding(Kind kind, String text) {

    /** Kinds of findings. */
    public enum Kind {
        /** The replica is empty, or contains no backup that can be restored. */
        NO_BACKUP,
        /** Files are missing: transactions within the retained range, or listed files that do not exist. */
        MISSING,
        /** A file differs from the file that was written. */
        DAMAGED,
        /** Files are valid, but do not belong together: two programs wrote to the replica, or a file was replaced. */
        CHECKSUM,
        /** The newest restorable state is older than the state that was replicated. */
        OUTDATED,
        /** A requested state is not retained. */
        NOT_RETAINED,
        /** SQLite's integrity check failed. */
        MALFORMED,
        /** Rows violate foreign keys. */
        FOREIGN_KEYS,
        /** A check of the user failed. */
        CHECK
    }

    public DrillFinding {
        requireNonNull(kind, "kind");
        requireNonNull(text, "text");
    }
}
