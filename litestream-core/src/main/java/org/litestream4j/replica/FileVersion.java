package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/** The version of a file, set by its first reader and shared by all readers of its parts. Thread-safe. */
public final class FileVersion {

    private @Nullable String first;

    /**
     * Records the version on the first call, and compares it on later calls.
     *
     * @param opened version of the opened file; null if the store has no versions
     * @param label name of the file, for the message
     * @throws ReplicaFileChangedException if the version differs
     */
    public synchronized void require(@Nullable String opened, String label) throws ReplicaFileChangedException {
        if (first == null) {
            first = opened;
        } else if (opened != null && !opened.equals(first)) {
            throw new ReplicaFileChangedException(label);
        }
    }
}
