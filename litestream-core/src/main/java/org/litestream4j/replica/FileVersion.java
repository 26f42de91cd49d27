package org.litestream4j.replica;

import org.jspecify.annotations.Nullable;

/** The version of a file that its first reader found, for all that read parts of it. Thread-safe. */
public final class FileVersion {

    private @Nullable String first;

    /**
     * Notes the version that was opened, or compares it with the first.
     *
     * @param opened null if the store has no versions
     * @param label of the file, for the message
     * @throws ReplicaFileChangedException if it is another version
     */
    public synchronized void require(@Nullable String opened, String label) throws ReplicaFileChangedException {
        if (first == null) {
            first = opened;
        } else if (opened != null && !opened.equals(first)) {
            throw new ReplicaFileChangedException(label);
        }
    }
}
