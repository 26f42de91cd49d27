package org.litestream4j.internal.pages;

import java.io.IOException;

/** Thrown if the newest known state of a replica is older than the reader allows. */
public final class StaleReplicaException extends IOException {

    private static final long serialVersionUID = 1L;

    public StaleReplicaException(String message) {
        super(message);
    }
}
