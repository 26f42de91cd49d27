package org.litestream4j.internal.replication;

import java.io.IOException;
import org.litestream4j.ltx.Txid;

/** Thrown if a captured file that is not on the replica yet is missing or damaged. A full image must replace it. */
public final class LocalFileException extends IOException {

    private static final long serialVersionUID = 1L;

    private final transient Txid replicated;

    /** @param replicated newest transaction on the replica */
    LocalFileException(String file, Txid replicated, IOException cause) {
        super("local file " + file + " is missing or damaged: " + cause.getMessage(), cause);
        this.replicated = replicated;
    }

    /** Returns the newest transaction on the replica; later changes must be captured again. */
    public Txid replicated() {
        return replicated;
    }
}
