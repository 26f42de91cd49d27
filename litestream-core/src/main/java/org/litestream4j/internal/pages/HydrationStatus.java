package org.litestream4j.internal.pages;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * How far the local copy of a database is.
 *
 * @param phase what happens now
 * @param bytes bytes of files on the replica that were read, or bytes of the local file that were verified
 * @param totalBytes bytes to read or to verify; 0 until known
 * @param problem why the last attempt failed; null if it did not
 */
public record HydrationStatus(Phase phase, long bytes, long totalBytes, @Nullable String problem) {

    /** Phases. */
    public enum Phase {
        /** Not asked for. */
        OFF,
        /** A file of an earlier run is verified. */
        VERIFYING,
        /** The database is fetched. */
        FETCHING,
        /** All pages are local, except those changed lately. */
        DONE,
        /** The last attempt failed; another one follows. */
        FAILED
    }

    public HydrationStatus {
        requireNonNull(phase, "phase");
    }

    /** Returns the part that is done, from 0 to 1. */
    public double fraction() {
        if (phase == Phase.DONE) {
            return 1;
        }
        return totalBytes == 0 ? 0 : Math.min(1, (double) bytes / totalBytes);
    }
}
