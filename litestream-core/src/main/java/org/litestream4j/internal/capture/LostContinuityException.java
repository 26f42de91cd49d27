package org.litestream4j.internal.capture;

import java.nio.file.Path;

/**
 * What was captured does not lead to the present database: something was committed and not captured, or captured and never
 * committed. Only a full image can follow.
 */
public final class LostContinuityException extends CaptureException {

    private static final long serialVersionUID = 1L;

    LostContinuityException(Path database, String problem) {
        super(database, problem, "a full image of the database follows", null);
    }
}
