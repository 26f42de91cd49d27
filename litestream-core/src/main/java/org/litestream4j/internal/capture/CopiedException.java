package org.litestream4j.internal.capture;

import java.io.IOException;

/** Thrown if a state was copied into the database but could not be captured. The capture is retried. */
public final class CopiedException extends IOException {

    private static final long serialVersionUID = 1L;

    CopiedException(IOException cause) {
        super(cause.getMessage() != null ? cause.getMessage() : cause.toString(), cause);
    }
}
