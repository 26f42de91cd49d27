package org.litestream4j.internal.pages;

import java.io.IOException;

/** Thrown if a replica did not answer within the deadline. Trying again may succeed. */
public final class ReplicaUnavailableException extends IOException {

    private static final long serialVersionUID = 1L;

    public ReplicaUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
