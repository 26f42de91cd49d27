package org.litestream4j.internal.capture;

import java.io.IOException;

/** A state was copied into the database, and then could not be captured; capturing it is retried. */
public final class CopiedException extends IOException {

    private static final long serialVersionUID = 1L;

    CopiedException(IOException cause) {
        super(cause.getMessage() != null ? cause.getMessage() : cause.toString(), cause);
    }
}
