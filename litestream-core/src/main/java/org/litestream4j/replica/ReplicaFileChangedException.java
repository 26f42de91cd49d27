package org.litestream4j.replica;

import java.io.IOException;

/**
 * Thrown if a file was replaced by another file of the same name while it was read. The file must be read again from
 * its beginning.
 */
public final class ReplicaFileChangedException extends IOException {

    private static final long serialVersionUID = 1L;

    /** @param label name of the file, for the message */
    public ReplicaFileChangedException(String label) {
        super(label + " was replaced by another file while it was read; it has to be read again");
    }
}
