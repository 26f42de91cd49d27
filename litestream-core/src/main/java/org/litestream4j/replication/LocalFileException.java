package org.litestream4j.replication;

import java.io.IOException;

/** A captured file that is not on the replica yet is missing or damaged; an image must take its place. */
public final class LocalFileException extends IOException {

    private static final long serialVersionUID = 1L;

    LocalFileException(String file, IOException cause) {
        super("local file " + file + " is missing or damaged: " + cause.getMessage(), cause);
    }
}
