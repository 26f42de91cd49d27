package org.litestream4j.internal.capture;

import java.nio.file.Path;

/**
 * Thrown if the captured state does not lead to the current state of the database: a transaction was committed but not
 * captured, or captured but not committed. Only a full image can follow.
 */
public final class LostContinuityException extends CaptureException {

    private static final long serialVersionUID = 1L;

    LostContinuityException(Path database, String problem) {
        super(database, problem, "a full image of the database follows", null);
    }
}
