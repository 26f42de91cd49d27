package org.litestream4j.internal.replication;

import java.io.IOException;
import org.litestream4j.ltx.Txid;

/** Thrown if a captured file that is not on the replica yet is missing or damaged. A full image must replace it. */
public final class LocalFileException extends IOException {

    private static final long serialVersionUID = 1L;

    private final transient Txid replicated;
    private final String unreachable;

    /** @param replicated newest transaction on the replica */
    LocalFileException(String file, Txid replicated, IOException cause) {
        this("local file " + file + " is missing or damaged: " + cause.getMessage(), replicated, "", cause);
    }

    private LocalFileException(String message, Txid replicated, String unreachable, Throwable cause) {
        super(message, cause);
        this.replicated = replicated;
        this.unreachable = unreachable;
    }

    /** Returns this error for a replica that is damaged, too. */
    LocalFileException unreachable(String problem) {
        return new LocalFileException(String.valueOf(getMessage()), replicated, problem, this);
    }

    /** Returns the newest transaction on the replica; later changes must be captured again. */
    public Txid replicated() {
        return replicated;
    }

    /** Returns why no restore reaches the newest transaction on the replica; empty if one does, or it is not known. */
    public String unreachable() {
        return unreachable;
    }
}
